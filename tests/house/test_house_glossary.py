"""docs/glossary.md names what is there, and no document or code speaks the vocabulary that was given up."""

import re
from pathlib import Path

import pytest

from tests.support.names import TABLES, defined_names, exists
from tests.support.serving import ROOT

PAGE = ROOT / "docs" / "glossary.md"
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
TERMS = [(term, code) for term, _, code in ROWS if term not in ("word", "---")]
READ = ("app", "bench", "docs", "tests")
GIVEN_UP = re.compile(
    r"\b(corridor|lanes?|bells?|shelf|turnover|appetite|manners|rung|hasty|chance)\b", re.IGNORECASE
)
NAMES_GIVEN_UP = re.compile(
    r"\b_?(?:MOST|LONGEST|LEAST|TOLD|TELL)_?[A-Z]\w*"
    r"|\b(?:_?un|_)told\b|\b_tell\w*"
    r"|\bclass (?:Told|Found|Asked|Wanted|Stretch|Standing|Concern|Bad|Mistake|Launch|Turn|Place|Moment|News)\b"
)
PLAIN_ENGLISH: set[tuple[str, str]] = set()
"""Uses of these words that mean what the dictionary says: the file, and the word."""


def names_what_is_there(code: str) -> bool:
    tables = set(re.findall(r"table `(\w+)`", code))
    others = set(re.findall(r"`([^`]+)`", code)) - tables
    return tables <= TABLES and all(
        exists(name) if "/" in name or "." in name else name in defined_names() for name in others
    )


def written() -> list[tuple[str, str]]:
    """The files that readers of the code read, with their texts."""
    paths = [ROOT / "README.md", *(path for folder in READ for path in (ROOT / folder).rglob("*"))]
    return [
        (str(path.relative_to(ROOT)), path.read_text())
        for path in paths
        if path.suffix in (".py", ".md", ".json", ".html", ".js", ".yaml") and path != Path(__file__)
    ]


@pytest.mark.parametrize(("term", "code"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_names_what_stands_for_it_in_the_code(term: str, code: str) -> None:
    assert term
    assert code == "not built yet" or ("`" in code and names_what_is_there(code))


def test_every_term_is_explained_once() -> None:
    terms = [term for term, _ in TERMS]

    assert len(terms) > 40
    assert len(terms) == len(set(terms))


def test_no_word_of_the_old_vocabulary_is_left() -> None:
    found = {(name, word.lower()) for name, text in written() for word in GIVEN_UP.findall(text)}

    assert found - PLAIN_ENGLISH == set()


def test_no_name_of_the_old_vocabulary_comes_back() -> None:
    code = [(name, text) for name, text in written() if name.endswith(".py")]

    assert [(name, word) for name, text in code for word in NAMES_GIVEN_UP.findall(text)] == []
