"""Files and functions of the code stay small enough to be read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FILES = sorted(Path("app").rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES = 250, 30


def long_functions(source: str) -> Iterator[str]:
    """Yield each function that is too long, with its number of lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.name}: {lines}"


def test_no_file_is_too_long() -> None:
    lengths = {str(path): len(path.read_text().splitlines()) for path in FILES}

    assert {path: length for path, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    assert [(str(path), found) for path in FILES for found in long_functions(path.read_text())] == []


@pytest.mark.parametrize(("body_lines", "found"), [(29, []), (30, ["work: 31"])])
def test_a_long_function_would_be_found(body_lines: int, found: list[str]) -> None:
    source = "def work():\n" + "    pass\n" * body_lines

    assert [*long_functions(source)] == found
