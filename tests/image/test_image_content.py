"""What is in the image: bytecode for all of it, no tools, no secret, and no more than the budget."""

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.image.engine import MARK, Image, engine, run_to_end
from tests.support.serving import ROOT

BUDGET_MEGABYTES = 95
BASE = "python:3.11-slim-bookworm"
WITHOUT_BYTECODE = """
import importlib.util, pathlib, sysconfig
folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "/app"]
skipped = {"distutils", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "tkinter", "turtledemo", "unittest"}
for folder in folders:
    for path in pathlib.Path(folder).rglob("*.py"):
        if not skipped & {*path.parts} and not pathlib.Path(importlib.util.cache_from_source(path)).exists():
            print(path)
"""


def test_our_layers_are_within_the_budget(image: Image, facts: list[str]) -> None:
    base = json.loads(engine("image", "inspect", BASE))[0]
    megabytes = (image.inspect()["Size"] - base["Size"]) / 1e6

    facts.append(f"image: {megabytes:.1f} MB over {BASE} (budget {BUDGET_MEGABYTES})")
    assert megabytes <= BUDGET_MEGABYTES


def test_the_image_has_nothing_that_only_builds(image: Image) -> None:
    sources = "find /app /usr/local/lib/python3*/site-packages -name '*.[ch]' -o -name '*.[ch]pp' -o -name '*.pyx'"

    assert "No module named 'pip'" in run_to_end(image, "python", "-c", "import pip").output
    assert (
        run_to_end(image, "sh", "-c", f"command -v pip pip3 gcc cc make strip; {sources} -o -name tests").output == ""
    )


def test_every_module_is_compiled(image: Image) -> None:
    assert run_to_end(image, "python", "-c", WITHOUT_BYTECODE).output == ""


def test_a_secret_that_lay_about_is_in_no_layer(image: Image, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    engine("save", "--output", str(archive), image.name)

    assert list(members_with_mark(archive)) == []
    assert MARK not in engine("history", "--no-trunc", image.name)
    assert MARK not in json.dumps(image.inspect())


def members_with_mark(archive: Path) -> Iterator[str]:
    """Yield each file of the saved image, and each file of its layers, that holds the mark."""
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.isfile() else None
            if content is not None:
                yield from (f"{member.name}: {name}" for name in names_with_mark(content))


def names_with_mark(content: IO[bytes]) -> Iterator[str]:
    try:
        with tarfile.open(fileobj=content) as layer:
            for file in layer:
                if file.isfile() and MARK.encode() in (layer.extractfile(file) or content).read():
                    yield file.name
    except tarfile.ReadError:  # no layer, but a description of the image
        content.seek(0)
        if MARK.encode() in content.read():
            yield "itself"


def test_the_list_of_packages_is_what_is_installed(image: Image) -> None:
    listed = subprocess.run([ROOT / ".ci" / "sbom"], capture_output=True, text=True, check=True).stdout
    distributions = "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"

    installed = run_to_end(image, "python", "-c", distributions).output.split()

    required = [each for each in json.loads(listed)["components"] if each["scope"] == "required"]
    expected = {f"{each['name']}=={each['version']}" for each in required}
    assert {re.sub("[-_.]+", "-", name).lower() for name in installed} == {re.sub("[-_.]+", "-", n) for n in expected}


def test_the_labels_say_what_was_built(image: Image) -> None:
    labels = image.inspect()["Config"]["Labels"]

    assert labels["org.opencontainers.image.version"] == "1.2.3"
    assert labels["org.opencontainers.image.revision"] == "abc123"
    assert labels["org.opencontainers.image.base.name"] == BASE
    assert BASE in (ROOT / "Dockerfile").read_text()


def test_the_image_declares_no_volume_and_runs_as_its_own_user(image: Image) -> None:
    config = image.inspect()["Config"]

    assert not config.get("Volumes")
    assert config["User"] == "10001:10001"
    assert run_to_end(image, "sh", "-c", "id -u; id -g; stat -c '%u:%g %a' /var/lib/wats").output.split() == [
        "10001",
        "10001",
        "10001:0",
        "770",
    ]
