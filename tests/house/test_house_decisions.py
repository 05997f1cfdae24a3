"""Decision records have one form, and their list is whole."""

import re
from pathlib import Path

import pytest

from tests.support.serving import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS = ["Status", "Date", "Context", "Decision", "Consequences"]
FORM = re.compile(r"# (\d+)\. (.+)\n\n## Status\n\n(Accepted[.;]|Superseded by |Turned down[.:]).*", re.DOTALL)


@pytest.mark.parametrize("record", RECORDS, ids=[record.name for record in RECORDS])
def test_a_record_has_its_number_its_status_and_its_sections(record: Path) -> None:
    text = record.read_text()
    form = FORM.fullmatch(text)

    assert form is not None
    assert int(form[1]) == int(record.name[:4])
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"^## Date\n\n\d{4}-\d\d-\d\d\n\n## Context$", text, re.MULTILINE)


def test_the_list_of_decisions_names_every_record_by_its_title() -> None:
    titles = [FORM.match(record.read_text()) for record in RECORDS]

    listed = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)

    assert listed == [
        (title[1], record.name, title[2]) for record, title in zip(RECORDS, titles, strict=True) if title is not None
    ]


def test_records_are_numbered_without_gaps() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]

    assert numbers == [*range(1, len(RECORDS) + 1)]
