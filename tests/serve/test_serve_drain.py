"""A stop with WATS_DRAIN_SECONDS: load balancers that learn late still get answers."""

import signal
from pathlib import Path

import pytest

from tests.support.serving import environment, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

LONG = {"WATS_DRAIN_SECONDS": "900", "WATS_GRACE_SECONDS": "1000"}
"""Longer than any test: it ends by a second signal."""


MANY = 100
"""Connections, opened one after the other: without a drain the port is closed before the last one."""


def test_while_it_drains_a_gateway_is_not_ready_and_still_takes_new_connections(tmp_path: Path) -> None:
    body = body_of()
    probes: list[int] = []
    with serving(tmp_path, environ=environment(tmp_path, **LONG)) as running:
        running.process.send_signal(signal.SIGTERM)
        wait_for(lambda: running.ask("GET", "/readyz")[0] == 503)
        wait_for(lambda: probes.append(running.ask("GET", "/healthz")[0]) or len(probes) == MANY)
        accepted, _ = running.ask("POST", PATH, body, signed(body))
        running.stop()

    assert probes == [200] * MANY
    assert accepted == 200


def test_after_the_drain_a_gateway_ends_with_0(tmp_path: Path) -> None:
    with serving(tmp_path, environ=environment(tmp_path, WATS_DRAIN_SECONDS="1")) as running:
        code = running.stop()

    assert code == 0
