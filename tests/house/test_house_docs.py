"""Files agree with each other: documentation, examples, commands and code."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from app.cli import COMMANDS, wats
from app.config import Flags, load_settings

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def every_command() -> list[tuple[str, click.Command]]:
    context = click.Context(wats)
    found = []
    for name in COMMANDS:
        command = wats.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", each) for sub, each in command.commands.items()]
    return found


def test_generated_documentation_is_fresh() -> None:
    check = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)

    assert check.stdout == ""
    assert check.returncode == 0


@pytest.mark.parametrize(("name", "command"), every_command(), ids=[name for name, _ in every_command()])
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]

    assert command.help
    assert [option.name for option in options if not option.help] == []


def test_every_command_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()

    missing = [
        name
        for name, command in every_command()
        if not isinstance(command, click.Group) and f"## flask wats {name}\n" not in reference
    ]
    assert missing == []


def test_the_example_config_serves_in_dry_run() -> None:
    settings = load_settings(Flags(config=ROOT / "config" / "wats.config.yaml", dry_run=True), {})

    assert settings.profile == "local"


def test_the_readme_has_the_promise() -> None:
    assert "Once we answered Meta 200, the event is on disk." in README.replace("\n", " ")


def anchors_of(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


def test_the_supported_pythons_are_the_same_in_each_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = [classifier.rpartition(" ")[2] for classifier in project["classifiers"]]

    assert project["requires-python"] == f">={supported[0]}"
    assert f"Python {supported[0]} to {supported[-1]}," in README


def test_every_check_of_a_commit_runs_a_tool_of_the_virtual_environment() -> None:
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    commands = [hook["entry"] for hook in repository["hooks"] if hook["language"] == "system"]

    assert repository["repo"] == "local"
    assert [command for command in commands if not command.startswith(".venv/bin/")] == []


def test_every_link_between_documents_has_a_target() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]

    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^):\s]+)\)", page.read_text())
        if not leads_somewhere(page, link)
    ]

    assert broken == []


def test_every_document_is_in_the_reading_order() -> None:
    listed = set(re.findall(r"\]\(([^):\s#]+)\)", (ROOT / "docs" / "README.md").read_text()))

    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "deploy").glob("*.md")]

    assert {str(page.relative_to(ROOT / "docs")) for page in pages} - {"README.md"} - listed == set()


def test_the_openapi_snapshot_has_every_documented_path() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())

    assert {"/webhooks/whatsapp", "/api/receipts", "/healthz", "/readyz", "/status", "/metrics"} <= set(
        document["paths"]
    )
