"""What the documents may name: files, packages, tables, and whatever the code of `app/` defines."""

import ast
import re
from functools import cache
from pathlib import Path

from app.store.tables.schema import metadata
from tests.support.serving import ROOT

APP = ROOT / "app"
TABLES = frozenset(metadata.tables)


@cache
def defined_names() -> frozenset[str]:
    """Every class, function, constant and attribute that a module of `app/` defines."""
    return frozenset(name for path in APP.rglob("*.py") for name in _names_in(ast.parse(path.read_text())))


def _names_in(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def exists(path: str) -> bool:
    """Tells whether a file or folder stands there, seen from the repository or from `app/`."""
    return any((folder / path).exists() for folder in (ROOT, APP))


def missing_paths(text: str) -> list[str]:
    """Every Python file that a text names, and every path between backticks, that is not there."""
    named = re.findall(r"[\w./-]+\.py\b", text) + re.findall(r"`([\w.-]+/[\w./-]*)`", text)
    return sorted({path for path in named if not exists(path)})


def missing_calls(text: str) -> list[str]:
    """Every `name()` in a text for which the code defines no such name."""
    return sorted(set(re.findall(r"\b([a-z_]\w*)\(\)", text)) - defined_names())


def section(page: Path, title: str) -> str:
    """The text below a heading of a page, up to the next one of the same level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page.name} has no section {title}"
    return found[1]
