"""Rules of the store's packages that no type and no linter checks."""

import ast
from pathlib import Path

import pytest

STORE = Path("app/store")
SILENT = sorted([*(STORE / "transactions").glob("*.py"), *(STORE / "tables").glob("*.py")])
KIND_BLIND = [STORE / "transactions" / name for name in ("settle_jobs.py", "claim_jobs.py", "enqueue.py")] + [
    STORE / "tables" / name for name in ("queue_health.py", "queues.py", "jobs.py")
]


def imports(file: Path) -> set[str]:
    """The modules, and the names in them, that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", SILENT, ids=str)
def test_nothing_that_runs_inside_a_transaction_logs(file: Path) -> None:
    assert {name for name in imports(file) if name.split(".")[0] == "logging"} == set()


@pytest.mark.parametrize("file", KIND_BLIND, ids=str)
def test_what_settles_jobs_does_not_know_what_they_are_about(file: Path) -> None:
    assert {name for name in imports(file) if "deliver" in name.lower() or "destination" in name.lower()} == set()
