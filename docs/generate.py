"""Generate documentation from the code: docs/cli.md, openapi.json, events.md, messages.md, errors.md,
metrics.md, runbooks.md, tables in configure.md, the contents of monitor.md and operate.md, and deploy/prometheus.

python docs/generate.py            write them
python docs/generate.py --check    fail if one of them differs from what it would write
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import click
from configure_tables import configure_tables
from errors_page import errors_page
from events_page import events_page
from messages_page import messages_page
from metrics_page import metrics_page
from prometheus_files import dashboard_file, rules_file
from runbooks_page import runbooks_page

from app.cli import wats
from app.config import Flags, dry_run_settings
from app.factory import create_app
from app.web.openapi import openapi_document

DOCS = Path(__file__).parent
PROMETHEUS = DOCS.parent / "deploy" / "prometheus"
EXAMPLE = DOCS.parent / "config" / "wats.config.yaml"


def main() -> int:
    """Write the files, or compare them; return 1 if one of them is out of date."""
    files = generated()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        for path, text in files.items():
            path.write_text(text)
        return 0
    for path in stale:
        print(f"{path.relative_to(DOCS.parent)} is out of date; run `make docs`")
    return 1 if stale else 0


def generated() -> dict[Path, str]:
    """Return the text of every generated file."""
    app = create_app(dry_run_settings(Flags(config=EXAMPLE), {}))
    configure, listed = DOCS / "configure.md", [DOCS / "monitor.md", DOCS / "operate.md"]
    return {
        DOCS / "cli.md": _listed("\n".join(_cli()) + "\n"),
        DOCS / "events.md": events_page(),
        DOCS / "messages.md": _listed(messages_page()),
        DOCS / "errors.md": errors_page(),
        DOCS / "metrics.md": metrics_page(),
        DOCS / "runbooks.md": runbooks_page(),
        PROMETHEUS / "wats.rules.yml": rules_file(),
        PROMETHEUS / "wats-dashboard.json": dashboard_file(),
        DOCS / "openapi.json": json.dumps(openapi_document(app), indent=2) + "\n",
        configure: _with_tables(configure.read_text(), configure_tables()),
        **{page: _with_tables(page.read_text(), {"contents": _contents(page.read_text())}) for page in listed},
    }


def _listed(text: str) -> str:
    """Return a page with its contents before its first section."""
    introduction, _, sections = text.partition("\n## ")
    return f"{introduction.rstrip()}\n\n{_contents(text)}\n\n## {sections}"


def _contents(text: str) -> str:
    """Return a list of the sections of a page, each a link."""
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    return "\n".join(
        f"- [{each}](#{re.sub(r'[^a-z0-9_ -]', '', each.lower()).replace(' ', '-')})" for each in headings
    )


def _with_tables(text: str, tables: Mapping[str, str]) -> str:
    for name, table in tables.items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- /generated -->)"
        text = re.sub(pattern, lambda match, table=table: f"{match[1]}{table.strip()}\n{match[2]}", text, flags=re.S)
    return text


def _cli() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "Generated from the code by `make docs`. Run from the repository root; `flask wats --help` prints the same."
    yield ""
    yield (
        "Exit codes: 0 done · 1 failed, or checked with a negative result · 2 usage · 70 the worker broke · "
        "78 configuration · 128 and more: a signal ended it."
    )
    context = click.Context(wats, info_name="flask wats")
    for name in wats.list_commands(context):
        command = wats.get_command(context, name)
        assert command is not None
        yield from _command(command, click.Context(command, info_name=name, parent=context))


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            yield from _command(sub, click.Context(sub, info_name=name, parent=context))
        return
    yield f"\n## {context.command_path}\n"
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield f"```\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```\n"
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield "| option | meaning |"
        yield "| --- | --- |"
    for option in options:
        record = option.get_help_record(context)
        assert record is not None
        yield f"| `{record[0]}` | {record[1]} |"


if __name__ == "__main__":
    sys.exit(main())
