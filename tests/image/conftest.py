"""The image, built from the Dockerfile and run by the engine that is on PATH: docker, or podman.

Only `make image-test` collects these tests. What they measure is printed at the end.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.engine import PLANTED, Image, build, engine
from tests.support.serving import ROOT

FACTS = pytest.StashKey[list[str]]()


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    return None if config.getoption("--image") else True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if facts := config.stash.get(FACTS, []):
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(facts))


@pytest.fixture(scope="session")
def facts(pytestconfig: pytest.Config) -> list[str]:
    """What a test measures, as lines to print."""
    return pytestconfig.stash.setdefault(FACTS, [])


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image, built from what git knows of this repository, with secrets that were left lying about in it."""
    context = tmp_path_factory.mktemp("context")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        copy(ROOT / name, context / name)
    for name, content in PLANTED.items():
        (context / name).write_text(content)
    built = build(context)
    yield built
    engine("image", "rm", "--force", built.name)


def copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
