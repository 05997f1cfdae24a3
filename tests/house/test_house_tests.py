"""The tests wait for events and use what is real: none compares clocks, and none patches a name of ours."""

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.order import long_first

TESTS = sorted(Path("tests").rglob("*.py"))
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "time_ns"}
DURATIONS = ("duration", "elapsed", "latenc", "age_seconds")
PATCHERS = {"setattr", "delattr", "setitem", "delitem"}

ONE_CLOCK = Path("tests/support/waiting.py")
"""Gives a wait up that is in vain."""

PATCHING = {
    Path("tests/faults/gunicorn_dying.py"): "plants a bug, and makes checkpoints so frequent that a test meets them",
    Path("tests/faults/migration_dying.py"): "adds the next release's migration to those of this one",
    Path("tests/faults/power_writer.py"): "plants bugs, and makes checkpoints so frequent that a test meets them",
    Path("tests/faults/power_sender.py"): "the same, for messages",
    Path("tests/faults/worker_dying.py"): "plants bugs, and retries after a second instead of five",
    Path("tests/faults/planted_in_sending.py"): "plants bugs",
    Path("tests/support/fork_server.py"): "a fork: `/proc` shows it its parent's environment",
}
"""Processes that tests start, each with what it patches in itself: a planted bug is a patch."""

Find = Callable[[ast.Module], Iterator[ast.AST]]


def clocks_and_durations(module: ast.Module) -> Iterator[ast.AST]:
    """Yield what reads a clock, and each comparison of a duration by its size."""
    for node in ast.walk(module):
        match node:
            case ast.Attribute(attr=name) if name in CLOCKS:
                yield node
            case ast.Attribute(value=ast.Name(id="time"), attr="time"):
                yield node
            case ast.ImportFrom(module="time", names=names) if CLOCKS & {name.name for name in names}:
                yield node
            case ast.Compare(ops=ops) if any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops):
                if any(is_duration(part) for part in ast.walk(node)):
                    yield node


def is_duration(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return any(word in name.lower() for word in DURATIONS)
        case _:
            return False


def patches_of_ours(module: ast.Module) -> Iterator[ast.AST]:
    """Yield each assignment to an attribute of what comes from `app`, or to a private one that is not `self`'s."""
    imported = names_from_app(module)
    yield from patches_in(module, imported)
    for function in ast.walk(module) if imported else ():
        if isinstance(function, ast.FunctionDef) and (instances := instances_in(function, imported)):
            yield from patches_in(function, instances)


def patches_in(part: ast.AST, ours: set[str]) -> Iterator[ast.AST]:
    """Yield what patches one of these names, or any private attribute, in a module or a function."""
    for node in ast.walk(part):
        match node:
            case ast.ImportFrom(module="unittest.mock" | "mock") | ast.alias(name="unittest.mock" | "mock"):
                yield node
            case ast.arg(arg="mocker"):
                yield node
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[target, *_]) if name in PATCHERS:
                if is_ours(target, ours):
                    yield node
            case ast.Assign(targets=targets) if any(is_patched(target, ours) for target in flat(targets)):
                yield node
            case ast.AugAssign(target=target) if is_patched(target, ours):
                yield node


def names_from_app(module: ast.Module) -> set[str]:
    """Return the names that the module's imports bind to something of ours."""
    names = set()
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(module=str(source), names=aliases) if source.split(".")[0] == "app":
                names |= {alias.asname or alias.name for alias in aliases}
            case ast.Import(names=aliases):
                imported = [alias for alias in aliases if alias.name.split(".")[0] == "app"]
                names |= {alias.asname or "app" for alias in imported}
    return names


def instances_in(function: ast.FunctionDef, ours: set[str]) -> set[str]:
    """Return the arguments and variables of a function that hold an instance of a class of ours."""
    typed = [(arg.arg, arg.annotation) for arg in ast.walk(function) if isinstance(arg, ast.arg) and arg.annotation]
    for node in ast.walk(function):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                typed.append((name, kind))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=kind)):
                typed.append((name, kind))
    return {name for name, kind in typed if isinstance(kind, ast.Name) and kind.id in ours}


def flat(targets: list[ast.expr]) -> Iterator[ast.expr]:
    """Yield each single target of an assignment."""
    for target in targets:
        yield from flat(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target]


def is_ours(target: ast.expr, ours: set[str]) -> bool:
    match target:
        case ast.Constant(value=str(path)):
            return path.split(".")[0] == "app"
        case ast.Subscript(value=ast.Attribute(attr="extensions")):
            return True
        case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
            return is_ours(inner, ours)
        case ast.Name(id=name):
            return name in ours
        case _:
            return False


def is_patched(target: ast.expr, ours: set[str]) -> bool:
    match target:
        case ast.Attribute(value=ast.Name(id="self")):
            return False
        case ast.Attribute(value=owner, attr=name):
            is_private = name.startswith("_") and not name.startswith("__")
            return is_private or is_ours(owner, ours)
        case _:
            return False


def files_with(find: Find) -> set[Path]:
    return {path for path in TESTS if any(find(parsed(path)))}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_only_the_helper_that_waits_reads_a_clock_and_no_test_asserts_a_duration() -> None:
    assert files_with(clocks_and_durations) == {ONE_CLOCK}


def test_no_test_patches_a_name_of_ours_but_where_a_bug_is_planted() -> None:
    assert files_with(patches_of_ours) == set(PATCHING)


@pytest.mark.parametrize(
    "careless",
    [
        "assert time.monotonic() < deadline",
        "started = time.perf_counter()",
        "started = time.time()",
        "from time import monotonic",
        "assert answer.duration_ms < 500",
        "assert 100 <= line['durationMs']",
        "assert elapsed > 3",
        "assert metrics['wats_worker_heartbeat_age_seconds'] < 60",
    ],
)
def test_a_test_that_compares_clocks_would_be_found(careless: str) -> None:
    assert [*clocks_and_durations(ast.parse(careless))]


@pytest.mark.parametrize(
    "patch",
    [
        "monkeypatch.setattr('app.store.engine.database.WEB_CONNECTIONS', 1)",
        "from app.store.engine import postgres\nmonkeypatch.setattr(postgres, 'POOL_WAIT_SECONDS', 1)",
        "import app.domain.retry\nmonkeypatch.setattr(app.domain.retry, 'PAUSES', ())",
        "from app.store import engine\nmonkeypatch.setitem(engine.start.__kwdefaults__, 'lock_seconds', 1)",
        "from app.store.receipts import Receipts\nReceipts.add = add_later",
        "from app.store.receipts import Receipts\nsetattr(Receipts, 'add', add_later)",
        "group._write = write",
        "from app.web.body_budget import BodyBudget\ndef test(budget: BodyBudget):\n    budget.limit = 100",
        "from app.domain.pacing import Pace\ndef test():\n    pace = Pace()\n    pace.limit.seconds, other = 1, 2",
        "from app.domain.pacing import Pace\ndef test(pace: Pace):\n    pace.seconds += 1",
        "def test(app):\n    app.extensions['wats.bodies'].limit = 10_000",
        "from unittest import mock\nfrom unittest.mock import patch",
        "import unittest.mock",
    ],
)
def test_a_patch_of_a_name_of_ours_would_be_found(patch: str) -> None:
    assert [*patches_of_ours(ast.parse(patch))]


@pytest.mark.parametrize(
    "harmless",
    [
        "monkeypatch.setattr(sqlite3, 'sqlite_version_info', (3, 0, 0))",
        "from app.gateway import Gateway\nmonkeypatch.setenv('WATS_MODE', 'live')",
        "self._calls = []",
        "database.away = True",
        "from app.graph.fake.meta import Meta\ndef test(meta: CalledMeta):\n    meta.outlet.answer = answer",
        "first.__cause__, second.__cause__ = second, first",
    ],
)
def test_what_is_not_ours_may_be_set(harmless: str) -> None:
    assert [*patches_of_ours(ast.parse(harmless))] == []


@pytest.mark.parametrize(("short", "long", "processes"), [(20, 7, 6), (5, 1, 2), (0, 5, 3), (7, 0, 3)])
def test_each_process_begins_with_its_share_of_the_long_tests(short: int, long: int, processes: int) -> None:
    items = ["short"] * short + ["long"] * long

    ordered = long_first(items, lambda item: item == "long", processes)

    assert sorted(ordered) == sorted(items)
    while processes:  # as xdist's `worksteal` deals them out
        piece, ordered = ordered[: len(ordered) // processes], ordered[len(ordered) // processes :]
        assert piece == sorted(piece)
        assert piece.count("long") in (long // processes, -(-long // processes))
        long, processes = long - piece.count("long"), processes - 1
