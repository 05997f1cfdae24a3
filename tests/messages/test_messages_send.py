"""Workers send accepted messages to a fake Meta over HTTP: once each, whatever the answer, whichever process dies."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.message import Message, NewMessage
from app.graph.fake.server import FakeMetaServer
from app.store import Store
from tests.messages.conftest import OTHER_NUMBER, WABA, StartWorker
from tests.support.envelopes import envelope, in_bytes, inbound_text
from tests.support.messages import NUMBER, accept, new_message, tracker_of
from tests.support.store import new_receipt
from tests.support.waiting import DEADLINE_SECONDS, wait_for

pytestmark = pytest.mark.usefixtures("unmeasured")

OTHER_WABA = "2234567890"
UNKNOWN = {"4001": 1, "4003": 1, "4005": 1, "4006": 1, "4007": 1, "4008": 1}
"""Scripted numbers whose answer is lost or says nothing, each with the number of its POSTs."""


def to(ending: str, text: str | None = None, *, number: str = NUMBER) -> NewMessage:
    return new_message(text, to=f"+999000{ending}", number=number)


def status_of(store: Store, message: Message) -> str:
    found = store.messages.get(message.id)
    assert found is not None
    return found.status


def error_of(store: Store, message: Message) -> dict[str, object]:
    found = store.messages.get(message.id)
    assert found is not None
    return found.error or {}


def hear(store: Store, told: object, *, waba_id: str) -> None:
    """Receive a webhook of an account."""
    body = envelope(told, time=int(datetime.now(UTC).timestamp()), waba_id=waba_id)
    store.receipts.add(new_receipt(in_bytes(body)))


def written_to(number: str) -> dict[str, object]:
    metadata = {"display_phone_number": "15550001111", "phone_number_id": number}
    message = inbound_text(wamid=f"wamid.{number}")
    return {
        "field": "messages",
        "value": {"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]},
    }


def posts_of(meta: FakeMetaServer) -> Counter[str]:
    """How many POSTs of each tracker have come."""
    bodies = [json.loads(entry["body"]) for entry in meta.control.journal.entries("messages")]
    return Counter(body["biz_opaque_callback_data"] for body in bodies)


def test_each_message_is_sent_once_whatever_meta_answers(
    accepting: Store, meta: FakeMetaServer, start_worker: StartWorker
) -> None:
    endings = {
        "0000": "accepted",
        "2008": "failed",
        "1497": "failed",
        "3056": "queued",
        **dict.fromkeys(UNKNOWN, "unknown"),
    }
    accepted = dict(zip(endings, accept(accepting, *(to(ending) for ending in endings)), strict=True))
    [other] = accept(accepting, to("0000", number=OTHER_NUMBER))
    start_worker()

    for ending, status in endings.items():
        wait_for(lambda ending=ending, status=status: status_of(accepting, accepted[ending]) == status)
    wait_for(lambda: status_of(accepting, other) == "accepted")

    posts = posts_of(meta)
    assert {ending: posts[tracker_of(accepting, accepted[ending])] for ending in UNKNOWN} == UNKNOWN
    assert posts[tracker_of(accepting, accepted["0000"])] == 1
    found = accepting.messages.get(accepted["0000"].id)
    assert found is not None
    assert found.wamid is not None
    assert error_of(accepting, accepted["2008"])["class"] == "request"
    assert error_of(accepting, accepted["1497"])["class"] == "recipient"
    assert error_of(accepting, accepted["3056"])["class"] == "pair_throttled"


def test_messages_to_one_customer_leave_in_their_order(
    accepting: Store, meta: FakeMetaServer, start_worker: StartWorker
) -> None:
    accepted = accept(accepting, *(to("0000", f"{number}") for number in range(12)))
    start_worker()
    start_worker()

    wait_for(lambda: status_of(accepting, accepted[-1]) == "accepted")

    bodies = [json.loads(entry["body"])["text"]["body"] for entry in meta.control.journal.entries("messages")]
    assert bodies == [str(number) for number in range(12)]


def test_of_several_accounts_a_ban_stops_the_numbers_of_its_own(
    accepting: Store, start_worker: StartWorker, tmp_path: Path
) -> None:
    config = tmp_path / "wats.config.yaml"
    config.write_text(config.read_text().replace("wabaId:", f'wabaIds: ["{OTHER_WABA}"], wabaId:'))
    ban = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}
    hear(accepting, written_to(NUMBER), waba_id=WABA)
    hear(accepting, written_to(OTHER_NUMBER), waba_id=OTHER_WABA)
    hear(accepting, {"field": "account_update", "value": ban}, waba_id=WABA)
    start_worker()
    wait_for(lambda: [pause.name for pause in accepting.sending.pauses()] == [f"waba:{WABA}"])

    held, free = accept(accepting, to("0000"), to("0000", number=OTHER_NUMBER))

    wait_for(lambda: status_of(accepting, free) == "accepted")
    assert status_of(accepting, held) == "queued"


def test_a_stopped_account_keeps_its_messages_until_a_new_start_finds_it_well(
    accepting: Store, meta: FakeMetaServer, start_worker: StartWorker, worker_log: Callable[[], str]
) -> None:
    [refused] = accept(accepting, to("2190"))
    worker = start_worker()
    wait_for(lambda: bool(accepting.sending.pauses()))
    waiting = accept(accepting, *(to(f"00{number:02}") for number in range(20, 30)), to("0000", number=OTHER_NUMBER))
    wait_for(lambda: '"sending.paused"' in worker_log())
    worker.terminate()
    assert worker.wait(DEADLINE_SECONDS) == 0

    assert {status_of(accepting, message) for message in (refused, *waiting)} == {"queued"}
    assert len(posts_of(meta)) == 1
    assert "access token" in worker_log()

    meta.control.state.put("healed", "tokens", {"at": 0})
    start_worker()
    wait_for(lambda: {status_of(accepting, message) for message in (refused, *waiting)} == {"accepted"})

    assert accepting.sending.pauses() == []
    assert worker_log().count('"sending.paused"') == 1


def test_a_worker_that_is_killed_never_makes_a_second_post(
    accepting: Store, meta: FakeMetaServer, start_worker: StartWorker, worker_log: Callable[[], str]
) -> None:
    before_post, in_post, after_answer = "0001", "5010", "0002"
    accepted: dict[str, Message] = {}
    for ending, die_at in ((before_post, "claimed"), (after_answer, "handled")):
        new = to(ending)
        worker = start_worker(die_at, new.id)
        wait_for(lambda: "retention.pruned" in worker_log())  # no other job passes the point any more
        wait_for(lambda: {status_of(accepting, message) for message in accepted.values()} <= {"unknown"})
        [accepted[ending]] = accept(accepting, new)
        assert worker.wait(DEADLINE_SECONDS) == -9
    [accepted[in_post]] = accept(accepting, to(in_post))
    worker = start_worker()
    wait_for(lambda: posts_of(meta)[tracker_of(accepting, accepted[in_post])] == 1)
    worker.kill()
    worker.wait()

    start_worker()
    wait_for(lambda: {status_of(accepting, message) for message in accepted.values()} == {"unknown"})

    posts = posts_of(meta)
    counts = {ending: posts[tracker_of(accepting, message)] for ending, message in accepted.items()}
    assert counts == {before_post: 0, in_post: 1, after_answer: 1}
