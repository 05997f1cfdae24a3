"""Workers die while they send, at named points and at random: Meta accepts no message twice, and none is lost."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.message import Message, queue_of_number
from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.control import PREFIX
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.wire import Call
from app.store import Store
from tests.faults.workers import Workers
from tests.support.fake_meta import TOKEN, fake_meta
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config
from tests.support.messages import NUMBER, accept, new_message, tracker_of
from tests.support.serving import environment
from tests.support.store import UNHURRIED, Databases, sqlite_databases
from tests.support.waiting import wait_for

POINTS = ("claimed", "handled", "settled")
"""Marked as being sent and not posted; answered and not recorded; recorded."""

ENDINGS = ("4001", "4003", "4007", "2008")
"""Scripted numbers: accepted, and the line cut; cut before; 502 in HTML; refused. Every other number is as usual."""

SENDING = """
    graph: {{ baseUrl: "{meta}" }}
    storage: {{ url: "{url}" }}
    sending: {{ windowPolicy: "off", pairBurst: 45, pairSeconds: 1 }}
"""


@dataclass
class Scene:
    """A number with messages to send, and the Meta that they go to."""

    store: Store
    meta: FakeMetaServer
    messages: list[Message]

    @property
    def waiting(self) -> int:
        depths = [depth for depth in self.store.jobs.depths() if depth.queue == queue_of_number(NUMBER)]
        return sum(depth.waiting + depth.in_flight for depth in depths)

    @property
    def doubled(self) -> list[str]:
        """The trackers of messages that Meta has accepted more than once."""
        return [str(tracker) for tracker in self._state["doubled"]]

    def faults(self) -> list[str]:
        """What is wrong with the end of this."""
        wamids = {sent["tracker"]: sent["id"] for sent in self._state["messages"]}
        found = [f"Meta has accepted {tracker} again" for tracker in self.doubled]
        for message in self.messages:
            now, tracker = self.store.messages.get(message.id), tracker_of(self.store, message)
            assert now is not None
            if now.status not in ("accepted", "failed", "unknown"):
                found.append(f"{tracker} ended as {now.status}")
            if now.status != "unknown" and now.wamid != wamids.get(tracker):
                found.append(f"{tracker} is {now.wamid} here and {wamids.get(tracker)} there")
        return found

    @property
    def _state(self) -> dict[str, Any]:
        return dict(json.loads(self.meta.control.answer(Call("GET", f"{PREFIX}state")).body))


def recipient(at: int) -> str:
    """Return to whom the message with this number goes: every fifth to a scripted number."""
    return f"+999000{ENDINGS[at // 5 % len(ENDINGS)]}" if at % 5 == 0 else f"+49151{at:07}"


def send_while_workers_die(
    url: str, folder: Path, *, count: int, kills: int, workers: int = 2, plant: str = ""
) -> list[str]:
    """Send so many messages by workers that die, and return what is wrong with the end of this."""
    store = Store(url, min_free_bytes=0, cooperative=False, limits=UNHURRIED)
    store.open()
    accounts = Accounts(
        numbers=(Number(NUMBER, "1234567890"),),
        app_secret=LIVE_ENVIRONMENT["TEST_APP_SECRET"],
        tokens=frozenset({TOKEN}),
    )
    config = CONFIG.replace('phoneNumberId: "9876543210"', f'phoneNumberId: "{NUMBER}"')
    with fake_meta(accounts=accounts) as meta:
        path = write_config(folder, config + SENDING.format(meta=meta.url, url=url))
        environ = environment(folder, WATS_CONFIG=str(path), WATS_MODE="live", WATS_YES_LIVE="1")
        new = [new_message(to=recipient(at)) for at in range(count)]
        scene, rng = Scene(store, meta, accept(store, *new)), random.Random()
        with Workers({**environ, "WATS_TEST_PLANT": plant}, folder, workers, POINTS).working() as dying:
            for _ in range(kills):
                deaths = dying.deaths
                wait_for(lambda deaths=deaths: dying.deaths > deaths or not scene.waiting)
                dying.kill_one(rng)
            dying.stop_dying()
            wait_for(lambda: not scene.waiting or (plant and scene.doubled))
        faults = scene.faults()
    store.close()
    return faults


def test_no_message_is_accepted_twice_and_none_is_lost(databases: Databases, tmp_path: Path, long: bool) -> None:
    count, kills, workers = (5000, 100, 4) if long else (120, 3, 2)

    assert send_while_workers_die(databases.migrated(), tmp_path, count=count, kills=kills, workers=workers) == []


@pytest.mark.parametrize("plant", ["resend_what_is_ambiguous", "resend_what_was_cut_off"])
def test_a_planted_bug_is_found(plant: str, tmp_path: Path, long: bool) -> None:
    if not long:
        pytest.skip("the long tier plants bugs")
    url = sqlite_databases(tmp_path).migrated()

    faults = send_while_workers_die(url, tmp_path, count=120, kills=3, plant=plant)

    assert [fault for fault in faults if "again" in fault]
