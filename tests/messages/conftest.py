"""`meta`: a fake Meta on a real socket. `worker`: starts workers that send to it, on either database."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.server import FakeMetaServer
from app.store import Store
from tests.support.fake_meta import TOKEN, fake_meta
from tests.support.live import LIVE_ENVIRONMENT, PROFILE, write_config
from tests.support.messages import NUMBER
from tests.support.serving import ROOT, environment
from tests.support.store import StoreMaker, databases, make_store, store, url
from tests.support.tracing import PYTHONPATH

__all__ = ["databases", "make_store", "store", "url"]

WABA = "1234567890"
OTHER_NUMBER = "206540352242922"
ACCOUNTS = Accounts(
    numbers=(Number(NUMBER, WABA), Number(OTHER_NUMBER, WABA)),
    app_secret=LIVE_ENVIRONMENT["TEST_APP_SECRET"],
    tokens=frozenset({TOKEN}),
)
SENDING = """
    graph: {{ baseUrl: "{meta}" }}
    storage: {{ url: "{url}" }}
    worker: {{ leaseSeconds: 5 }}
    sending: {{ windowPolicy: "off" }}
"""

StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def meta() -> Iterator[FakeMetaServer]:
    with fake_meta(accounts=ACCOUNTS) as server:
        yield server


@pytest.fixture
def meta_url(meta: FakeMetaServer) -> str:
    """Where workers find Meta."""
    return meta.url


@pytest.fixture
def accepting(url: str, make_store: StoreMaker) -> Store:
    """Open the store into which the test accepts messages."""
    return make_store(url)


@pytest.fixture
def start_worker(url: str, tmp_path: Path, meta_url: str) -> Iterator[StartWorker]:
    """Start one more worker; with a point, one that dies there while it sends a message."""
    config = PROFILE.replace('phoneNumberId: "9876543210"', f'phoneNumberIds: ["{NUMBER}", "{OTHER_NUMBER}"]')
    path = write_config(tmp_path, config + SENDING.format(url=url, meta=meta_url))
    live = {"WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_GRACE_SECONDS": "5", "WATS_TEST_URL": url}
    environ = {**environment(tmp_path, WATS_CONFIG=str(path), **live), "PYTHONPATH": PYTHONPATH}
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((tmp_path / "worker.log").open("ab"))

        def start(die_at: str = "", message: str = "", **more: str) -> subprocess.Popen[bytes]:
            program = [str(Path(__file__).parent / "dying_sender.py")] if die_at else ["-m", "app.worker"]
            process = subprocess.Popen(
                [sys.executable, *program],
                cwd=ROOT,
                env={**environ, "WATS_TEST_DIE_AT": die_at, "WATS_TEST_MESSAGE": message, **more},
                stderr=log,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def worker_log(tmp_path: Path) -> Callable[[], str]:
    """Read what all workers of the test have logged."""
    return (tmp_path / "worker.log").read_text
