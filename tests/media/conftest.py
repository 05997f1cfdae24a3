"""`meta`: Meta's calls about files; `served`: a gateway that calls it, and fetches media on arrival."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.scripted_meta import ScriptedMeta, scripted_meta
from tests.support.live import PROFILE, write_config
from tests.support.serving import Running, serving

OTHER_NUMBER = "9876543211"
MEDIA = """
    graph: {{ baseUrl: "{meta}" }}
    media: {{ fetchOnArrival: true }}
    worker: {{ leaseSeconds: 5 }}
"""


def config_for(meta: str) -> str:
    numbers = f'phoneNumberIds: ["9876543210", "{OTHER_NUMBER}"]'
    return PROFILE.replace('phoneNumberId: "9876543210"', numbers) + MEDIA.format(meta=meta)


@contextlib.contextmanager
def gateway_for(meta: ScriptedMeta, folder: Path) -> Iterator[Running]:
    config = write_config(folder, config_for(meta.url))
    with serving(folder, "--config", str(config), "--live", "--yes-live", "--workers", "1") as running:
        yield running


@pytest.fixture(scope="session")
def shared_meta() -> Iterator[ScriptedMeta]:
    with scripted_meta() as server:
        yield server


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, shared_meta: ScriptedMeta) -> Iterator[Running]:
    """Run a gateway for the tests of all modules: starting it costs more than most of them do."""
    with gateway_for(shared_meta, tmp_path_factory.mktemp("media")) as running:
        yield running
        running.stop()  # processes that are killed leave no coverage


@pytest.fixture
def meta(shared_meta: ScriptedMeta) -> ScriptedMeta:
    shared_meta.files.clear()
    shared_meta.answers.clear()
    shared_meta.asked.clear()
    shared_meta.halted.clear()
    return shared_meta
