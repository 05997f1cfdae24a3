"""A gateway under load, with everything that may die of it; and the audit of what came of the load.

The oracle: what Meta was told 200 for, what a destination saw, and what the store holds.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.domain.delivery import DeliveryState
from app.domain.job import SINGLETON_QUEUES
from app.jobs.executor import MAX_UNSETTLED
from app.store import Store
from tests.faults.conftest import STORAGE
from tests.faults.recording import Recording, recording, update_of
from tests.faults.workers import SLOTS, Workers
from tests.support.envelopes import change, envelope, in_bytes, inbound_text, status
from tests.support.live import CONFIG, write_config
from tests.support.senders import Senders, senders
from tests.support.serving import FLASK, Running, environment, serving
from tests.support.store import UNHURRIED
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, signed

PAUSE_SECONDS, LONG_PAUSE_SECONDS = 0.2, 2.0
MAX_BEHIND = 200
"""While more events than these wait to be delivered, webhooks come seldom: a busy machine must deliver them too."""

AT_RISK = SLOTS + MAX_UNSETTLED
"""How many POSTs of a worker may be repeated after its death: those in flight, and those that are not settled yet."""

DESTINATION = """    destinations:
      - name: app
        url: "http://127.0.0.1:{port}/"
        secret: {{ env: TEST_DESTINATION_SECRET }}
        timeoutSeconds: 120
        {options}
"""
"""A busy machine may take long to answer: a push that timed out would be repeated, and counted as one too many."""

MANY_AT_ONCE = "maxInFlight: 100"
"""More than a few dead workers held, so that jobs wait for the leases of their own worker only."""

MESSAGES = (7, 1, 2, 1)
"""How many messages of their own the webhooks hold; beside them is a status."""

CUSTOMERS = ("4915112345670", "4915112345671", "4915112345672")

EVENTS_EACH = 1 + sum(MESSAGES) / len(MESSAGES)


def updates_in(number: int) -> set[str]:
    """What a webhook tells: some updates of its own, and some that others hold too, as when Meta batches anew."""
    own = [f"wamid.{number}.{at}" for at in range(MESSAGES[number % len(MESSAGES)])]
    again = [f"wamid.{number - back}.0" for back in (1, 8) if number >= back]
    return {*own, *again, f"wamid.{number}.sent delivered"}


def customer_of(update: str) -> str:
    """The customer of an update: one for all updates that a webhook does not repeat."""
    return CUSTOMERS[int(update.split(".")[1]) % len(CUSTOMERS)]


def body_of(number: int) -> bytes:
    """The webhook with this number."""
    told = sorted(updates_in(number))
    messages = [inbound_text(wamid=update, sender=customer_of(update)) for update in told if " " not in update]
    sent = [update.split()[0] for update in told if " " in update]
    statuses = [status(wamid=wamid, recipient_id=customer_of(wamid)) for wamid in sent]
    return in_bytes(envelope(change(messages=messages), change(statuses=statuses)))


def unhurried(seen: Recording) -> Callable[[int], bytes]:
    """Return what makes the bodies of webhooks: each takes a moment to come, so that the gateway keeps up."""

    def unhurried_body_of(number: int) -> bytes:
        behind = int(number * EVENTS_EACH) - len(seen.posts)
        time.sleep(LONG_PAUSE_SECONDS if behind > MAX_BEHIND else PAUSE_SECONDS)
        return body_of(number)

    return unhurried_body_of


@dataclass
class Scene:
    """A gateway under load: its web processes, its workers, its senders and its destinations."""

    url: str
    running: Running
    workers: Workers
    sent: Senders
    seen: Recording
    web_kills: int = 0

    def send(self, number: int) -> None:
        """One webhook, which is answered 200."""
        body = body_of(number)
        assert self.running.ask("POST", PATH, body, signed(body))[0] == 200
        self.sent.acknowledged.append(number)

    def wait_for_posts(self, more: int) -> None:
        """Wait until this many more POSTs have come."""
        enough = self.seen.posts.total() + more
        wait_for(lambda: self.seen.posts.total() >= enough)

    def wait_for_deaths(self, deaths: int) -> None:
        """Wait until workers died this many times; those that are started then live."""
        wait_for(lambda: self.workers.deaths >= deaths, seconds=600)
        self.workers.stop_dying()


@contextmanager
def scene(
    folder: Path,
    url: str,
    *,
    workers: int = 2,
    threads: int = 4,
    points: Sequence[str] = (),
    plant: str = "",
    options: str = MANY_AT_ONCE,
) -> Iterator[Scene]:
    """A scene that plays while the block runs; afterwards it goes on until nothing is left to do.

    `options`: more keys of the destination.
    """
    with recording() as (seen, port):
        environ = environment(
            folder,
            WATS_CONFIG=str(write_config(folder, CONFIG + STORAGE + DESTINATION.format(port=port, options=options))),
            WATS_MODE="live",
            WATS_YES_LIVE="1",
            WATS_TEST_PLANT=plant,
            TEST_DATABASE_URL=url,
            TEST_DESTINATION_SECRET="destination-secret-5b1f",
        )
        serve = (FLASK, "wats", "serve", "--without-worker")
        with (
            serving(folder, command=serve, environ=environ) as running,
            Workers(environ, folder, workers, points).working() as working,
        ):
            with senders(running.port, threads, unhurried(seen)) as sent:
                yield (playing := Scene(url, running, working, sent, seen))
            with opened(url) as store:
                wait_for(lambda: is_drained(store))
        print(figures(playing))


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url, min_free_bytes=0, cooperative=False, limits=UNHURRIED)
    store.open()
    try:
        yield store
    finally:
        store.close()


def is_drained(store: Store) -> bool:
    return not store.receipts.has_pending() and not any(
        depth.waiting + depth.in_flight for depth in store.jobs.depths() if depth.queue not in SINGLETON_QUEUES
    )


def undelivered(url: str) -> list[str]:
    """The deliveries that are not delivered."""
    with opened(url) as store:
        pages = [store.deliveries.page(state=state, limit=1) for state in DeliveryState if state != "delivered"]
        return [delivery.id for page in pages for delivery in page]


def updates_in_store(url: str) -> Counter[str]:
    """The updates that there are events of, each with how many."""
    with opened(url) as store:
        found, last = Counter[str](), 0
        while events := store.events.after(last, limit=500):
            found.update(update_of(event.raw) for event in events)
            last = events[-1].sequence
        return found


def figures(scene: Scene) -> str:
    """Progress for the reader of the output."""
    posts, died = scene.seen.posts, scene.workers.deaths
    return f"kills: {died + scene.web_kills}; events: {len(posts)}; repeated POSTs: {scene.seen.repeated}"


def audit(scene: Scene, *, at_risk: int) -> None:
    """Nothing lost, nothing doubled, and no more POSTs repeated than were at risk when something died."""
    promised = {update for number in scene.sent.acknowledged for update in updates_in(number)}
    stored = updates_in_store(scene.url)
    assert promised - set(stored) == set(), "promised to Meta, and no event"
    assert [update for update, events in stored.items() if events > 1] == [], "one update, two events"
    assert set(stored) - set(scene.seen.ids_of_update) == set(), "an event that was never delivered"
    assert scene.seen.doubled == [], "one update under two ids"
    assert scene.seen.repeated <= at_risk, "more POSTs repeated than were at risk"
