"""A thousand starts from one parent that has loaded the code: each process that was forked works.

With a lock that was made before gevent's monkey patch, half of the starts hung.
"""

import http.client
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.serving import ROOT, environment, free_port
from tests.support.store import Databases
from tests.support.tracing import PYTHONPATH
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, body_of, signed

FORKING = Path(__file__).with_name("forking.py")
STARTS, EVERY_DAY = 500, 2
"""On each of the two databases, and every day on SQLite only."""


def is_stored(port: int, body: bytes) -> bool:
    """Return whether a webhook is answered 200; not while the port is still closed."""
    with (
        suppress(OSError),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)) as client,
    ):
        client.request("POST", PATH, body, signed(body))
        return client.getresponse().status == 200
    return False


def test_of_a_thousand_starts_by_fork_none_hangs(databases: Databases, tmp_path: Path, long: bool) -> None:
    if not long and databases.kind == "postgresql":
        pytest.skip("the long tier starts on PostgreSQL too")
    port = free_port()
    storage = "\n    storage: { url: { env: TEST_DATABASE_URL } }\n"
    environ = environment(
        tmp_path,
        WATS_CONFIG=str(write_config(tmp_path, CONFIG + storage)),
        WATS_MODE="live",
        WATS_YES_LIVE="1",
        WATS_PORT=str(port),
        WEB_CONCURRENCY="1",
        TEST_DATABASE_URL=databases.migrated(),
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "counters"),
        PYTHONPATH=PYTHONPATH,
    )
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, str(FORKING)],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as parent,
    ):
        assert parent.stdin is not None
        assert parent.stdout is not None
        for number in range(STARTS if long else EVERY_DAY):
            print("start", file=parent.stdin, flush=True)
            wait_for(lambda number=number: parent.poll() is not None or is_stored(port, body_of(str(number))))
            assert parent.poll() is None, "it has ended: its log says why"
            answers = iter(parent.stdout.readline, "")
            assert next(line for line in answers if line.strip() == "started")
            print("end", file=parent.stdin, flush=True)
            assert next(line for line in answers if line.strip().lstrip("-").isdigit()).strip() == "0"
        parent.stdin.close()
