"""A gateway whose clock was a day ahead, and is right when the gateway starts again."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.store import Store
from tests.support.serving import Running, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed
from tests.support.work import put_times_ahead

pytestmark = pytest.mark.usefixtures("unmeasured")


def receive_and_split(running: Running, wamid: str) -> None:
    """Send a webhook, and wait until it has become an event."""
    body = body_of(wamid=wamid)
    assert running.ask("POST", PATH, body, signed(body))[0] == 200
    wait_for(lambda: running.json("/status", bearer())["receipts"]["pending"] == 0)


def alerts(running: Running) -> list[str]:
    return [alert["code"] for alert in running.json("/status", bearer())["attention"]]


def test_a_gateway_goes_on_after_a_start_with_a_clock_that_was_a_day_ahead(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/data/wats.sqlite3", min_free_bytes=0, cooperative=False)
    with serving(tmp_path) as running:
        receive_and_split(running, "wamid.1")
        sound = alerts(running)
        assert running.stop() == 0
    store.open()
    put_times_ahead(store, timedelta(days=1))
    store.close()

    with serving(tmp_path) as running:
        receive_and_split(running, "wamid.2")
        wait_for(lambda: alerts(running) == ["clock_jumped"])

    assert "clock_jumped" not in sound
