"""docs/architecture.md tells what is there: packages, layers, files, names, tables and the order of locks."""

import ast
import re
import tomllib
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

import app
from app.store import transactions
from tests.support.names import APP, TABLES, exists, missing_calls, missing_paths, section
from tests.support.serving import ROOT

PAGE = ROOT / "docs" / "architecture.md"
JOURNEYS = re.compile(r"webhook:  webhook/routes .*?→ graph → store", re.DOTALL)


def words(text: str) -> list[str]:
    return text.split()


def test_the_layers_are_those_that_import_linter_checks() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]

    rows = re.findall(r"^\| (\d+) \| `(\(?\w+\)?)` \| \S.* \|$", section(PAGE, "Layers"), re.MULTILINE)
    listed = [" | ".join(package for _, package in layer) for _, layer in groupby(rows, key=itemgetter(0))]

    assert listed == contract["layers"]


def test_every_package_has_a_line_of_its_own() -> None:
    there = {path.name.removesuffix(".py") for path in APP.iterdir() if not path.name.startswith("_")}

    assert set(re.findall(r"^\| \d+ \| `(\w+)` \|", section(PAGE, "Layers"), re.MULTILINE)) == there


def test_the_journeys_are_the_same_in_the_code_the_readme_and_the_page() -> None:
    told = [JOURNEYS.search(text) for text in (app.__doc__ or "", (ROOT / "README.md").read_text(), PAGE.read_text())]

    assert len({" ".join(words(journey[0])) for journey in told if journey}) == 1
    assert None not in told


def test_every_step_of_the_journeys_is_a_file() -> None:
    steps = re.findall(r"\b[a-z]+/[a-z]+\b", section(PAGE, "The two journeys"))

    assert {"events/split", "messages/send"} <= set(steps)
    assert [step for step in steps if not exists(f"{step}.py")] == []


def test_every_file_and_every_function_that_is_named_is_there() -> None:
    assert missing_paths(PAGE.read_text()) == []
    assert missing_calls(PAGE.read_text()) == []


def test_every_participant_of_a_picture_is_a_file_or_a_package() -> None:
    participants = re.findall(r"participant \w+ as (\S+/\S+)", PAGE.read_text())

    assert participants
    assert [name for name in participants if not exists(name)] == []


def test_every_table_has_a_line() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", section(PAGE, "Tables"), re.MULTILINE)) == TABLES


def test_the_order_of_locks_is_the_one_that_the_transactions_promise() -> None:
    [promised] = re.findall(r"^ *(idempotency keys → .*)$", transactions.__doc__ or "", re.MULTILINE)

    assert promised in section(PAGE, "Order of locks")


def test_only_the_assembly_and_the_banner_ask_for_the_mode() -> None:
    readers = {"assembly/gateway.py", "assembly/queues.py", "startup/banner.py"}
    packages = ("config", "cli")

    asking = {
        str(path.relative_to(APP))
        for path in APP.rglob("*.py")
        if path.relative_to(APP).parts[0] not in packages and re.search(r"\bMode\b|\bdry_run\b", path.read_text())
    }

    assert asking == readers


PAGES = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "recipes.md",
    ROOT / "docs" / "monitor.md",
    ROOT / "docs" / "operate.md",
    *sorted((ROOT / "docs" / "deploy").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_and_function_of_a_page_is_there(page: Path) -> None:
    text = page.read_text()

    assert missing_paths(text) == []
    assert missing_calls(text) == []


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda path: path.name)
def test_every_path_of_a_decision_is_there(record: Path) -> None:
    assert missing_paths(record.read_text()) == []


def test_only_the_edges_speak_http_outwards() -> None:
    clients = {"requests", "urllib3", "http.client", "urllib.request", "httpx", "aiohttp"}
    edges = {"cli/client.py", "cli/doctor/handshake.py", "cli/forward.py", "destinations", "graph"}

    importers = set()
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if clients & {*names, *(name.partition(".")[0] for name in names)}:
                importers.add(path.relative_to(APP).as_posix())

    assert {importer for importer in importers if not importer.startswith(tuple(edges))} == set()
    assert "cli/client.py" in importers
