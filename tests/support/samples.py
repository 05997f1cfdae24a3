"""The samples of the documents: each named by the file that its first line tells a reader to save it in."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.support.serving import ROOT

BLOCK = re.compile(r"(?:^(?P<before>[^\n]+)\n\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:<\?php )?(?:#|//) (\S+\.\w+)\n")
NEEDS = re.compile(r"^\*Needs [^*]+:\*$")
"""The line above commands that no test runs; it says what they need that our tests do not have."""

FAILING = re.compile(r"^(.*flask wats (?:status|destinations test crm))$", re.MULTILINE)
"""Commands that end with 1 where something needs attention: in a gateway that tests share, something may."""


def page(name: str) -> str:
    """Return the text of a document."""
    return (ROOT / "docs" / name).read_text()


def files_of(name: str) -> dict[str, str]:
    """Return the page's samples that have a file name in their first line, by this name."""
    blocks = [block["code"] for block in BLOCK.finditer(page(name))]
    return {named[1]: code for code in blocks if (named := NAMED.match(code))}


def write_files(name: str, folder: Path) -> None:
    """Save the page's samples as its reader does."""
    for file, code in files_of(name).items():
        (folder / file).write_text(code)


def script_of(name: str) -> str:
    """Return all commands of the page, but those that need what our tests do not have, and `make run`."""
    blocks = [
        block["code"]
        for block in BLOCK.finditer(page(name))
        if block["language"] == "sh" and not NEEDS.match(block["before"] or "")
    ]
    return FAILING.sub(r"\1 || true", "".join(blocks).replace("make run\n", ""))


def settings_of(name: str) -> list[dict[str, Any]]:
    """Return the page's pieces of a profile."""
    return [yaml.safe_load(block["code"]) for block in BLOCK.finditer(page(name)) if block["language"] == "yaml"]
