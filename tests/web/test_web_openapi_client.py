"""A client that openapi-python-client generates from the document: it reads what we answer, also new fields."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.domain.event_json import event_json
from app.web.examples import example_events
from tests.support.serving import ROOT

GENERATOR = Path(sys.executable).parent / "openapi-python-client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, unmeasured: None) -> Path:
    """Generate a client; fail if a part of the document is left out."""
    folder = tmp_path_factory.mktemp("client")
    paths = ("--path", ROOT / "docs" / "openapi.json", "--output-path", folder / "wats_client")
    environ = {**os.environ, "PATH": f"{GENERATOR.parent}:{os.environ['PATH']}"}
    command = [GENERATOR, "generate", *paths, "--meta", "none"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert (done.returncode, "pieces may be missing" in done.stdout + done.stderr) == (0, False), done.stdout
    return folder


def test_the_client_has_every_operation(generated: Path) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    count = sum(len(operations) for operations in document["paths"].values())

    modules = [path for path in (generated / "wats_client" / "api").rglob("*.py") if path.name != "__init__.py"]

    assert len(modules) == count


def test_the_client_reads_an_event_that_has_gained_a_field(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = {**event_json(example_events()["message.text"]), "gained": {"later": 1}}
    monkeypatch.syspath_prepend(str(generated))
    models: Any = importlib.import_module("wats_client.models")

    page = models.EventPage.from_dict({"items": [event], "nextCursor": "c2VxXzE", "gained": True})

    assert page.items[0].id == event["id"]
    assert page.items[0]["gained"] == {"later": 1}
    assert page["gained"] is True
