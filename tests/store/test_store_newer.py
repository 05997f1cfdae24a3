"""A row that newer code has written, as during an upgrade, costs nothing else and waits for that code."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Table, update

from app.domain.media_file import MEDIA_QUEUE
from app.domain.message import Message
from app.domain.meta.media import Media
from app.domain.split import SplitEvent
from app.graph.fake.client import FakeGraphClient
from app.media.fetch import Fetcher
from app.store import Store
from app.store.media_folder import MediaFolder
from app.store.tables.media_schema import media_files
from app.store.tables.message_schema import early_statuses, messages
from app.store.tables.schema import deliveries, receipts
from app.store.tables.sending_schema import send_scopes
from tests.support.events import new_event, put_delivery, put_events
from tests.support.fake_meta import CalledMeta
from tests.support.messages import accept, new_message, status, tracker_of, webhook
from tests.support.sends import accepted, queued, refused, reserve, send, stored, waiting
from tests.support.store import NOON, new_receipt
from tests.support.work import Clock, add_events, claim

MINUTE = timedelta(minutes=1)


def make_newer(store: Store, message: Message, word: str = "pondering") -> None:
    store.write(lambda c: c.execute(update(messages).where(messages.c.id == message.row_id).values(status=word)))


def test_a_message_with_a_status_of_newer_code_waits_and_holds_up_no_other(timed: Store, clock: Clock) -> None:
    newer, other = queued(timed, 2)
    make_newer(timed, newer)

    assert send(timed, accepted()) == 1

    assert (stored(timed, newer).status, stored(timed, other).status) == ("pondering", "accepted")
    assert (reserve(timed).reserved, waiting(timed)) == ([], 1)
    make_newer(timed, newer, "queued")
    clock.advance(MINUTE)
    assert send(timed, accepted("wamid.B=")) == 1


def test_a_status_of_metas_counts_for_a_message_with_a_status_of_newer_code(store: Store) -> None:
    [message] = accept(store, new_message())
    make_newer(store, message)
    kept = {"wamid": "wamid.A", "status": "pondering", "at": message.created_at, "details": b"{}"}
    store.write(lambda c: c.execute(early_statuses.insert().values(**kept)))

    add_events(store, *webhook(statuses=[status("wamid.A", tracker=tracker_of(store, message))]))

    assert stored(store, message).status == "sent"


def test_a_pause_of_a_class_of_newer_code_holds_until_its_probe_is_accepted(timed: Store, clock: Clock) -> None:
    queued(timed, 3)
    send(timed, refused(190))
    timed.write(lambda c: c.execute(update(send_scopes).values(error_class="pondering")))

    assert [pause.error_class for pause in timed.sending.pauses()] == ["pondering"]
    assert send(timed) == 0
    clock.advance(5 * MINUTE)
    assert (send(timed, accepted()), timed.sending.pauses()) == (1, [])


def make_all_newer(store: Store, table: Table) -> None:
    store.write(lambda c: c.execute(update(table).values(state="pondering")))


def test_a_delivery_with_a_state_of_newer_code_is_read_as_it_stands(store: Store) -> None:
    [event] = put_events(store, new_event())
    put_delivery(store, event, state="dead")
    make_all_newer(store, deliveries)

    page = store.deliveries.page(limit=9)
    one = store.deliveries.get(page[0].id)

    assert [delivery.state for delivery in page] == ["pondering"]
    assert one is not None
    assert one.state == "pondering"


def test_a_receipt_with_a_state_of_newer_code_is_read_and_an_erasure_leaves_it(store: Store) -> None:
    store.receipts.add(new_receipt(b"from 4915112345678"))
    make_all_newer(store, receipts)

    [receipt] = store.receipts.page(state=None, before=None, limit=9)
    erased = store.retention.erase("4915112345678", None)

    assert (receipt.state, store.receipts.has_pending()) == ("pondering", False)
    assert (erased.pending, store.receipts.body(receipt.id)) == (1, b"from 4915112345678")


def test_a_file_with_a_state_of_newer_code_is_read_and_left_to_that_code(timed: Store, tmp_path: Path) -> None:
    folder, meta = MediaFolder(tmp_path / "media", 0, lambda: "d1"), CalledMeta()
    fetcher = Fetcher(timed, FakeGraphClient(meta.meta, "v25.0", lambda _: None), folder, lambda: NOON, lambda: 0.5)
    add_events(timed, SplitEvent(new_event(), media=(Media("1", "image/jpeg"),)))
    [job] = claim(timed, MEDIA_QUEUE)
    make_all_newer(timed, media_files)

    [(_, task)] = fetcher.prepare([job])
    timed.jobs.settle([task()])

    [file] = timed.media.page(state=None, before=2**62, limit=9)
    assert (file.state, file.attempts) == ("pondering", 0)
    assert [known.state for known in timed.media.load([job]).values()] == ["pondering"]
