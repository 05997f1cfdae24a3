"""Every transaction of the store takes its locks in the one order that `app/store/transactions` promises."""

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from app.domain.alert import Alert
from app.domain.clock import ClockJump
from app.domain.decision import Decision, MessageSelection
from app.domain.delivery import DeliveryState, NewDelivery
from app.domain.dismissal import Period
from app.domain.event import Contact, Position
from app.domain.event_filter import EventFilter
from app.domain.job import PRUNE_QUEUE, Dead, Done, Job, Retry
from app.domain.job_result import JobResult
from app.domain.media_file import MEDIA_QUEUE, Fetched, FetchResult, FileState
from app.domain.message import MessageStatus, queue_of_number
from app.domain.meta.access_token import TokenLife
from app.domain.meta.graph_errors import GraphError
from app.domain.meta.media import Media
from app.domain.meta.status_update import StatusUpdate
from app.domain.outbound_event import asked_for, event_of_change
from app.domain.pacing import Pace
from app.domain.receipt import ReceiptState
from app.domain.reconciling import ROUNDS
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.replay import Selection
from app.domain.send_answer import Accepted, Refused
from app.domain.send_limits import SendLimits
from app.domain.send_outcome import Reserved, SendResult, outcome_of_send
from app.domain.split import SplitEvent, SplitReceipt
from app.store import EarlyStatusesKept, MessageQuery, Store
from app.store.heartbeats import KEPT_FOR
from app.store.jobs import MAX_CLAIMS
from app.store.media_folder import MediaFolder
from app.store.repository import Repository
from app.store.tables.events import lock_events
from app.store.tables.message_schema import early_statuses, messages
from app.store.tables.queues import ensure_queues, lock_queues
from app.store.tables.schema import event_names, jobs, receipts
from app.store.tables.scopes import put_scope
from app.store.tables.sending_schema import send_scopes
from app.store.transactions.apply_statuses import hold_status_lock, take_early_reports
from app.store.transactions.unreserve_sends import unreserve_sends
from tests.store.lock_recorder import Recorder
from tests.support.events import new_event
from tests.support.messages import accept, idempotency_key, mark_sending, new_message, status, tracker_of, webhook
from tests.support.store import NOON, Databases, StoreMaker, heartbeat, new_receipt
from tests.support.work import (
    AT_ONCE,
    CRM,
    LEASE,
    Clock,
    add_events,
    claim,
    claim_split,
    dead,
    done,
    receive,
    retry,
    split_event,
)

TRANSACTIONS = Path("app/store/transactions")
BOT, GONE = "deliver:bot", "deliver:gone"
PHONE, USER = "4917755566677", "DE.13491208655302741918"
HOUR, MONTH = timedelta(hours=1), timedelta(days=31)
LIFE_CYCLE = {f"{repository}.{step}" for repository in ("Receipts", "Messages") for step in ("open", "close")}
WRITTEN = {"timestamp": "1764000000", "type": "text", "text": {"body": "hi"}}
NUMBERS = ("106540352242922", "206540352242922")
EVERYTHING = Selection()
LONG_AGO = NOON - timedelta(hours=1)
_ACCEPTED = (
    update(messages)
    .where(messages.c.id.in_(select(func.max(messages.c.id))))
    .values(
        status="accepted", wamid="wamid.asked", phone_number_id=NUMBERS[0], created_at=LONG_AGO, updated_at=LONG_AGO
    )
)


def functions_of(holder: object, package: str) -> list[FunctionType]:
    """The public functions of a module or a class."""
    return [
        function
        for name, function in inspect.getmembers(holder, inspect.isfunction)
        if not name.startswith("_") and function.__module__.startswith(package)
    ]


def transaction_functions() -> dict[CodeType, str]:
    """Every public function in a file of `app/store/transactions` that works on a connection."""
    modules = [import_module(f"app.store.transactions.{file.stem}") for file in TRANSACTIONS.glob("[!_]*.py")]
    return {
        function.__code__: f"{module.__name__}.{function.__name__}"
        for module in modules
        for function in functions_of(module, module.__name__)
        if "connection" in inspect.signature(function).parameters
    }


def repository_methods() -> dict[CodeType, str]:
    """Every public method of a repository."""
    return {
        method.__code__: method.__qualname__
        for repository in Repository.__subclasses__()
        for method in functions_of(repository, "app.store")
        if method.__qualname__ not in LIFE_CYCLE
    }


def add_receipts(store: Store) -> None:
    store.receipts.add(new_receipt(b"single"))
    store.receipts.add_all([new_receipt(f"{PHONE} {number}".encode()) for number in range(3)])
    store.receipts.add_all([new_receipt(b"body %d" % number) for number in range(4)])
    store.receipts.add_all([new_receipt(b"body %d" % number) for number in (3, 1, 2, 9)])


def split_receipts(store: Store) -> None:
    """Events for three destinations, ordered; foreign events; receipts without events, and unreadable ones."""
    to = ("gone", "crm", "bot")
    ordered = [split_event(("ordered", number), to=to, order_key=number % 3) for number in range(12)]
    named = [
        SplitEvent(
            new_event(name, wa_id=wa_id, user_id=user_id, contacts=[{"wa_id": "4917755"}]),
            deliveries=(NewDelivery("crm", 1), NewDelivery("bot")),
        )
        for name, wa_id, user_id in (("both", PHONE, USER), ("phone", PHONE, None), ("user", None, USER))
    ]
    others = [split_event(("other", number), to=("bot", "crm"), order_key=9) for number in range(12)]
    foreign = [split_event(("foreign", number), foreign=True) for number in range(3)]
    for events in ([*ordered, *foreign], named, others):
        job, pending = claim_split(store), receive(store, 3)
        unreadable = [SplitReceipt(receipt, unreadable="no JSON") for receipt in pending[-2:]]
        split = [SplitReceipt(pending[0], events), *map(SplitReceipt, pending[1:-2]), *unreadable]
        assert store.events.accepts(job, split[0], LEASE)
        store.events.add(job, list(reversed(split)), LEASE)
        store.jobs.settle([JobResult(job, Retry(AT_ONCE))])
    for receipt in store.receipts.page(state=ReceiptState.UNREADABLE, before=None, limit=2):
        store.receipts.reprocess(receipt.id)


def claim_and_settle(store: Store) -> None:
    """Results of several queues in one transaction, among them a singleton job's; jobs behind others become due."""
    claimed = [*claim(store, BOT, limit=5), *claim(store, CRM, limit=5), *claim(store, PRUNE_QUEUE)]
    store.jobs.renew(claimed, LEASE)
    handed_back = claimed[0], claimed[5]
    store.jobs.hand_back(handed_back)
    kept = [job for job in claimed if job not in handed_back]
    results: list[Callable[[Job], JobResult]] = [dead, done, retry]
    store.jobs.settle([results[number % 3](job) for number, job in enumerate(reversed(kept))])


def accept_messages(store: Store) -> None:
    """Messages of two numbers, with keys in no order, several to one contact; and repeats."""
    for extra in ([], [new_message()]):
        keyed = [new_message("hi", to=f"+49151{n % 3}0000", number=NUMBERS[n % 2], key=f"{9 - n}") for n in range(6)]
        store.messages.accept([*keyed, *extra])
    store.messages.forget_key(idempotency_key("9", "hi"), keyed[0].id)


def follow_messages(store: Store) -> None:
    """Statuses of several messages, by wamid and by tracker, and of one that is not known yet; and conversations."""
    sent = accept(store, *(new_message(to=f"+4915199{n}", number=NUMBERS[0]) for n in range(4)))
    mark_sending(store, *sent)
    by_tracker = [status(f"wamid.{n}", tracker=tracker_of(store, sent[n])) for n in (2, 0, 1)]
    split(store, webhook(number=NUMBERS[0], statuses=[*by_tracker, status("wamid.early")]))
    split(store, webhook(number=NUMBERS[0], statuses=[status(f"wamid.{n}", "read") for n in (1, 2)]))
    errors = [{"code": code, "title": "refused"} for code in (190, 131042, 131048, 130429)]
    failed = [status("wamid.0", "failed", errors=[error]) for error in errors]
    split(store, [*webhook(number=NUMBERS[1], statuses=failed), *webhook(number=NUMBERS[0], errors=errors)])
    written = [
        {"id": f"wamid.in{n}", "from": f"49151{n}", "from_user_id": f"DE.{9 - n}", **WRITTEN} for n in range(4)
    ]
    for number in reversed(NUMBERS):
        split(store, webhook(number=number, messages=written))
    store.write(answer_early)


def send_messages(store: Store, clock: Clock) -> None:
    """Answers for several numbers in one transaction, in no order; refusals that pause every scope; probes."""
    limits = SendLimits(80, Pace(timedelta(seconds=6), 45), "enforce", "102290129340398")
    refusals = (190, 131031, 131048, 130429, 131056)
    end_pauses(store)
    for turn, codes in enumerate(((None,), refusals, (None,))):
        accept(store, *(new_message(to=f"+49151{turn}88{n}", number=NUMBERS[n % 2]) for n in range(16)))
        results = []
        for number in reversed(NUMBERS):
            claimed = claim(store, queue_of_number(number), max_in_flight=50)
            reserved = store.sending.reserve(claimed, limits).reserved if claimed else []
            results += [answered_by(*one, codes[n % len(codes)]) for n, one in enumerate(reserved)]
        store.jobs.settle(results)
        clock.advance(timedelta(minutes=20))
        store.sending.probe_stopped()
    store.sending.pauses(), store.sending.resume("app")
    claimed = claim(store, queue_of_number(NUMBERS[0]), max_in_flight=50)
    taken_back = store.sending.reserve(claimed, limits).reserved
    store.write(lambda c: unreserve_sends(c, NOON, list(reversed(taken_back))))
    answer_late(store, clock, limits)
    pause_content(store, clock)


def end_pauses(store: Store) -> None:
    """Resume all that is paused, and let none go on step by step."""
    for pause in store.sending.pauses():
        store.sending.resume(pause.name)
        ended = pause.ended(store.clock.now())
        store.write(lambda c, ended=ended: put_scope(c, ended))  # type: ignore[misc]


def pause_content(store: Store, clock: Clock) -> None:
    """Templates of several numbers that are refused, by an answer and by statuses, and that may be sent again."""
    end_pauses(store)
    limits = SendLimits(80, Pace(timedelta(seconds=6), 45), "off", "1234567890")
    body = b'{"template": {"name": "sale", "language": {"code": "en"}}}'
    for codes in ((132015,), (132069, 131050)):
        made = [new_message(to=f"+4915166{n}", number=NUMBERS[n % 2]) for n in range(8)]
        sent = accept(store, *(one._replace(type="template", body=body) for one in made))
        results = []
        for number in reversed(NUMBERS):
            reserved = store.sending.reserve(claim(store, queue_of_number(number), max_in_flight=50), limits)
            results += [SendResult(ended.job, ended.outcome.job, send=ended.outcome) for ended in reserved.ended]
            results += [answered_by(*one, codes[n % len(codes)]) for n, one in enumerate(reserved.reserved)]
        store.jobs.settle(results)
        store.sending.resume("template:1234567890:sale.en")
    store.sending.wake_released()
    for number in reversed(NUMBERS):
        errors = [{"code": code} for code in (131056, 131049, 132016, 130429)]
        told = [status("wamid.X", "failed", tracker=tracker_of(store, sent[0]), errors=errors)]
        split(store, webhook(number=number, statuses=told))
    changes = [
        ("template.status", {"event": state, "message_template_name": name, "message_template_language": "en"})
        for state, name in (("PAUSED", "sale"), ("APPROVED", "sale"), ("DISABLED", "other"))
    ]
    changes += [
        ("contact.preference", {"category": "marketing_messages", "value": value}) for value in ("stop", "resume")
    ]
    split(store, [SplitEvent(new_event(str(raw), kind=kind, raw=raw)) for kind, raw in changes])


def answer_late(store: Store, clock: Clock, limits: SendLimits) -> None:
    """Answers for several numbers whose claims were lost, in no order, together with some whose claims are held.

    Another worker has settled some of them.
    """
    end_pauses(store)
    accept(store, *(new_message(to=f"+49151999{n}", number=NUMBERS[n % 2]) for n in range(16)))
    late: list[tuple[Job, Reserved]] = []
    for number in reversed(NUMBERS):
        late += store.sending.reserve(claim(store, queue_of_number(number), max_in_flight=50), limits).reserved
    clock.advance(LEASE)
    claim(store, queue_of_number(NUMBERS[0]), max_in_flight=50)
    ended = store.sending.reserve(claim(store, queue_of_number(NUMBERS[1]), max_in_flight=50), limits).ended
    store.jobs.settle([SendResult(one.job, one.outcome.job, send=one.outcome) for one in ended])
    codes = (None, 131026, 131016, 131056)
    accept(store, *(new_message(to=f"+49151888{n}", number=NUMBERS[1]) for n in range(4)))
    in_time = store.sending.reserve(claim(store, queue_of_number(NUMBERS[1]), max_in_flight=50), limits).reserved
    assert in_time
    store.jobs.settle([answered_by(*one, codes[n % 4]) for n, one in enumerate([*in_time, *late[2:]])])
    store.sending.take_back(late[:2])


def answered_by(job: Job, reserved: Reserved, code: int | None) -> JobResult:
    """Return the result of a POST that Meta has accepted, or refused with this code."""
    answer = Accepted("wamid.A") if code is None else Refused(GraphError(code), 400)
    outcome = outcome_of_send(answer, reserved.message, NOON, lambda: 0.5)
    return SendResult(job, outcome.job, send=outcome, reserved=reserved)


def reconcile(store: Store) -> None:
    """The first round passes messages that are not asked about, and asks about one."""
    fetched = store.write(lambda c: c.execute(_ACCEPTED))
    assert fetched.rowcount
    found = store.reconciling.find(ROUNDS[0], NUMBERS)
    assert found.candidate is not None
    told = StatusUpdate("wamid.asked", NUMBERS[0], MessageStatus.SENT, NOON, Contact())
    store.reconciling.record(ROUNDS[0], found.candidate, [told])


def decide_about_messages(store: Store) -> None:
    """Messages of two numbers that are cancelled, fail by decision, or are sent again, one by one and all at once."""
    waiting, failing, again = accept(store, *(new_message(to=f"+49151771{n}", number=NUMBERS[0]) for n in range(3)))
    for message in (waiting, failing, again):
        store.messages.cancel(message)
    store.write(
        lambda c: c.execute(update(messages).where(messages.c.status == "cancelled").values(status="unknown"))
    )
    job = claim_split(store)
    changes = {row: SplitEvent(event_of_change(change)) for row, change in store.outbound.pending(9).items()}
    store.outbound.publish(job, changes, LEASE)
    store.outbound.unreadable()
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])
    store.messages.learn([StatusUpdate("wamid.1", NUMBERS[0], MessageStatus.READ, NOON, Contact())])
    store.messages.resolve_as_failed(failing)
    store.messages.send_again(again, timedelta(days=1))
    accept(store, *(new_message(to=f"+4915177{number}", number=number) for number in reversed(NUMBERS)))
    for decision in (Decision.UNKNOWN, Decision.RESEND, Decision.CANCELLED):
        store.messages.decide_some(MessageSelection(), decision, after=0, limit=9, is_trial=False, lifetime=HOUR)


def split(store: Store, events: Sequence[SplitEvent]) -> None:
    """Add these events, found in one more receipt."""
    job, pending = claim_split(store), receive(store)
    store.events.add(job, [SplitReceipt(pending[-1], events)], LEASE, "1234567890")
    store.jobs.settle([JobResult(job, Retry(AT_ONCE))])


def answer_early(connection: Connection) -> None:
    hold_status_lock(connection, shared=True)
    take_early_reports(connection, ["wamid.early"])


def replay(store: Store) -> None:
    """Deliveries to two destinations, whose new jobs have ids in another order than they have; and foreign events."""
    store.jobs.settle([dead(job) for queue in (CRM, BOT) for job in claim(store, queue)])
    store.deliveries.has_any("crm"), store.events.last_before(NOON)
    for delivery in store.deliveries.page(limit=3):
        store.deliveries.replay(delivery.id)
    settled = [retry(job, HOUR) for queue in (BOT, CRM) for job in claim(store, queue)]
    store.jobs.settle(settled)
    to_both = (NewDelivery("bot", 2), NewDelivery("crm", 2))
    missing = Selection(destination="bot", includes_missing=True)
    for selection in (EVERYTHING, Selection(state=None, destination="crm"), missing):
        store.deliveries.count_to_replay(selection, after=0, limit=100, deliveries_of=lambda _: to_both)
        store.deliveries.replay_some(selection, after=0, limit=100, deliveries_of=lambda _: to_both)
    for state in (DeliveryState.WAITING, DeliveryState.DELIVERED):
        chosen = Selection(state=state)
        store.deliveries.replay_some(chosen, after=0, limit=100, deliveries_of=lambda _: None)


def crash_workers(store: Store, clock: Clock) -> None:
    """Jobs that are claimed until they are given up, with others behind them."""
    for _ in range(MAX_CLAIMS + 2):
        claim(store, CRM)
        claim(store, BOT)
        clock.advance(LEASE)


def change_queues(store: Store) -> None:
    store.queues.ensure([GONE, "deliver:new", "deliver:another"])
    store.queues.pause(CRM, True)
    store.jobs.settle([retry(job, HOUR) for job in claim(store, BOT)])
    for queue in (CRM, BOT):
        store.queues.resume(queue)


def keep_readers_and_heartbeats(store: Store, clock: Clock) -> None:
    for name in ("reader", "another"):
        store.consumers.ack(name, 1)
        store.consumers.ack(name, 2)
    store.consumers.delete("another")
    for process in ("host:1", "host:2"):
        store.heartbeats.beat(heartbeat(process))
    clock.advance(KEPT_FOR + HOUR)
    store.heartbeats.beat(heartbeat("host:3"))
    store.heartbeats.delete("host:3")


def dismiss(store: Store) -> None:
    """Dead letters and unreadable receipts, one and many."""
    store.jobs.settle([dead(job) for queue in (CRM, BOT) for job in claim(store, queue)])
    store.deliveries.discard("dlv_1")
    store.deliveries.discard_some(EVERYTHING, after=0, limit=100, is_trial=False)
    store.receipts.dismiss("rcp_1")
    store.receipts.dismiss_some(Period(), after=0, limit=100, is_trial=False)


def tell_what_needs_a_human(store: Store) -> None:
    """Alerts that begin and are over, and what was refused at Meta's route."""
    current = [Alert(code, subject, "cause", "cure") for code in ("b", "a") for subject in ("2", "1")]
    store.attention.record(current, destinations=["crm", "bot"])
    store.attention.reword(current)
    store.attention.record(current[:1])
    refused = [RefusedWebhooks(reason, 1, NOON, NOON) for reason in ("missing_signature", "body_too_large")]
    store.attention.add_refused(refused)
    store.attention.forget_refused(refused)
    store.attention.record_token(TokenLife(NOON, True))
    store.write(lambda c: c.execute(update(messages).where(messages.c.status == "failed").values(alert=None)))
    store.upkeep.judge_failures()
    store.attention.token(), store.attention.refused(), store.attention.recorded(), store.attention.signs()


def keep_the_fake_metas_state(store: Store) -> None:
    fake = store.fake_meta
    fake.put("media", "1", b"\0"), fake.update("counter", "x", lambda _: 1), fake.delete("media", "1")
    for key in ("one", "two"):
        fake.plan_webhook(key, b"{}", HOUR)
    fake.webhook(3), fake.get("counter", "x"), fake.items("counter")
    fake.forget_webhook(3)


def set_the_clock_back(store: Store, clock: Clock) -> None:
    """Jobs of several queues, waiting and claimed, that are due too late then."""
    clock.advance(MONTH)
    waiting = [*claim(store, CRM, limit=3), *claim(store, BOT, limit=3)]
    store.jobs.settle([JobResult(job, Retry(AT_ONCE)) for job in waiting])
    claim(store, CRM, limit=2)
    clock.advance(-MONTH)
    for queue in (CRM, BOT, PRUNE_QUEUE):
        store.clock.pull_back(queue, LEASE)
    store.clock.record_jump(ClockJump(clock.now, -1))
    store.clock.see(None), store.clock.is_trusted()


def erase(store: Store, contact: str) -> None:
    cursor = None
    while (cursor := store.retention.erase(contact, cursor).next) is not None:
        pass


def prune(store: Store, clock: Clock) -> None:
    """Events of which some are open to a destination of the config, some to a former one, and some to none."""
    clock.advance(MONTH)
    store.retention.prune_events(before=clock.now, after=0, destinations=["bot"])
    store.retention.prune_receipts(before=clock.now, after=0)
    store.retention.prune_erased_events(before=clock.now)
    store.retention.empty_log()
    store.message_retention.prune_messages(before=clock.now, after=0)
    store.message_retention.prune_keys(before=clock.now)
    early = {"wamid": "wamid.Z", "status": "sent", "at": LONG_AGO, "details": b"{}"}
    store.write(lambda c: c.execute(insert(early_statuses), [early] * 2))
    store.message_retention.prune_early_statuses(EarlyStatusesKept(clock.now, clock.now, 1), after=0)
    store.message_retention.prune_pairs(before=clock.now)
    store.message_retention.prune_conversations(before=clock.now)
    store.write(lambda c: c.execute(update(send_scopes).where(send_scopes.c.trips > 0).values(contact=None)))
    store.write(lambda c: c.execute(insert(send_scopes), wishes("7", "5", "6")))
    store.message_retention.prune_scopes(now=clock.now + MONTH, before=clock.now, after=0)
    store.message_retention.prune_links()


def wishes(*contacts: str) -> list[dict[str, Any]]:
    """Rows of customers who have stopped marketing long ago."""
    values = {
        "error_class": "recipient",
        "code": 131050,
        "reason": "",
        "since": LONG_AGO,
        "trips": 1,
        "is_told": False,
    }
    return [{"name": f"marketing:1:{contact}", "contact": int(contact), **values} for contact in contacts]


def put_right_what_older_code_left(store: Store) -> None:
    """Events without their names, names without their events, and free pages."""
    gone = [{"event": 1000 + number, "name": name} for number in range(3) for name in "ab"]
    store.write(lambda c: c.execute(delete(event_names)))
    store.write(lambda c: c.execute(insert(event_names), gone))
    store.upkeep.add_names(after=0)
    store.retention.prune_lone_names(after=0)
    store.upkeep.expect_remains()
    while store.upkeep.wipe_free_pages() or store.upkeep.clean_gaps() is not None:
        pass


def fetch_media(store: Store, folder: Path) -> None:
    """Files of several events that are fetched, given up, fetched again and deleted, also with their events."""
    store.queues.ensure([MEDIA_QUEUE])
    of_files, another = (MediaFolder(path, 0, lambda: "d1") for path in (folder, folder / "another"))
    for looked_at, renews in ((of_files, True), (of_files, False), (another, True), (of_files, True)):
        store.media_marks.look(looked_at, renews=renews)
    for name in range(3):
        media = tuple(Media(f"{name}{n}") for n in range(4))
        split(store, [SplitEvent(new_event(("media", name), wa_id=PHONE), media=media)])
    results = [
        FetchResult(job, Done(), fetched=Fetched("image/png", "", 0)) if n % 2 else FetchResult(job, Dead("gone"))
        for n, job in enumerate(claim(store, MEDIA_QUEUE, max_in_flight=50, limit=8))
    ]
    store.jobs.settle(list(reversed(results)))
    for file in store.media.page(state=FileState.DEAD, before=2**62, limit=2):
        store.media.fetch_again(file)
    for file in store.media.page(state=FileState.STORED, before=2**62, limit=2):
        store.media.delete(file)
    store.media.find("00"), store.media.dead(), store.media.known(["00"])
    store.media.load(claim(store, MEDIA_QUEUE, max_in_flight=50, limit=1))
    store.media_marks.problems()
    store.media.remove_deleted(of_files)


def read_everything(store: Store) -> None:
    store.receipts.get("rcp_1"), store.receipts.body("rcp_1"), store.receipts.reason("rcp_2")
    store.receipts.page(state=None, before=None, limit=9), store.receipts.counts(), store.receipts.has_pending()
    store.outbound.has_pending()
    store.outbound.accounts(NUMBERS)
    store.receipts.pending(limit=9, max_bytes=9)
    store.events.get(new_event("both").id), store.events.after(0, EventFilter(types=["message.*"]), limit=9)
    store.events.before(9, EventFilter(since=NOON), limit=9)
    store.events.latest(), store.events.latest_position(), store.events.confirmed(Position(2))
    store.events.counts(), store.consumers.ahead()
    store.consumers.cursor("reader"), store.consumers.get("reader"), store.consumers.page(after=None, limit=9)
    store.jobs.next_due_in(CRM), store.jobs.depths(), store.queues.all(), store.queues.get(CRM)
    store.deliveries.get("dlv_1"), store.deliveries.page(limit=9), store.deliveries.counts()
    store.deliveries.load([Job(1, CRM, 1, 0, 0)]), store.heartbeats.of_kind("worker")
    store.messages.get("msg_" + "0" * 32), store.messages.get("wamid.1"), store.messages.body("msg_" + "0" * 32)
    (
        store.conversations.last_inbound([(NUMBERS[0], (PHONE, USER))]),
        store.messages.trackers([bytes(16)]),
        store.messages.holds([], None, None),
        store.messages.answered(["msg_" + "0" * 32, "wamid.1"]),
        store.messages.counts(HOUR),
        store.conversations.page(before=(NOON, 1, NUMBERS[0]), limit=9),
    )
    store.messages.both_ways(MessageQuery(contact=PHONE, limit=9)), store.messages.get_inbound("wamid.A", [])
    store.messages.page(contact=PHONE, limit=9), store.messages.page(status=MessageStatus.UNKNOWN, limit=9)
    store.clock.now(), store.clock.last_jump(), store.clock.is_singleton_job_ahead(LEASE)


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recorder]:
    """What was recorded on each kind of database: once, for all tests that ask something about it."""
    return {}


@pytest.fixture
def recorded(
    recordings: dict[str, Recorder], databases: Databases, make_store: StoreMaker, clock: Clock, tmp_path: Path
) -> Recorder:
    """What all methods of all repositories do to a store with some of everything."""
    if databases.kind not in recordings:
        url, recorder = databases.migrated(), Recorder(repository_methods())
        with recorder.recording():
            do_everything(make_store(url, clock=clock, recorded=asked_for(["outbound.*"])), clock, tmp_path / "media")
        recordings[databases.kind] = recorder
    return recordings[databases.kind]


def do_everything(store: Store, clock: Clock, media_folder: Path) -> None:
    add_receipts(store)
    split_receipts(store)
    claim_and_settle(store)
    replay(store)
    accept_messages(store)
    follow_messages(store)
    decide_about_messages(store)
    send_messages(store, clock)
    fetch_media(store, media_folder)
    read_everything(store)
    change_queues(store)
    crash_workers(store, clock)
    keep_readers_and_heartbeats(store, clock)
    tell_what_needs_a_human(store)
    dismiss(store)
    keep_the_fake_metas_state(store)
    set_the_clock_back(store, clock)
    reconcile(store)
    put_right_what_older_code_left(store)
    erase(store, USER)
    prune(store, clock)


def test_every_transaction_takes_its_locks_in_the_one_order(recorded: Recorder) -> None:
    bad = [violation for one in recorded.transactions for violation in one.violations()]
    assert bad == [], "\n".join(bad)


def test_every_transaction_is_run_by_this_test(recorded: Recorder) -> None:
    expected = {**transaction_functions(), **repository_methods()}

    assert [name for code, name in expected.items() if code not in recorded.called] == []


def test_every_place_of_the_order_is_taken_with_several_rows(recorded: Recorder) -> None:
    ordered = {
        step.table for one in recorded.transactions for step in one.steps if len(step.rows) > 1 and step.by_key
    }

    tables = {
        "contact_links",
        "deliveries",
        "early_statuses",
        "event_names",
        "events",
        "jobs",
        "media_files",
        "message_changes",
        "messages",
        "queues",
        "receipts",
        "send_scopes",
    }
    assert ordered == tables


def test_a_read_locks_and_changes_nothing(recorded: Recorder) -> None:
    reads = [one for one in recorded.transactions if one.is_read]

    assert len(reads) > 20
    assert [(one.method, one.steps) for one in reads if one.steps] == []


def lock_upwards(connection: Connection) -> None:
    lock_queues(connection, [CRM])
    lock_events(connection, [1])


def lock_by_chance(connection: Connection) -> None:
    connection.execute(update(receipts).values(events=0))


def lock_backwards(connection: Connection) -> None:
    for name in (CRM, BOT):
        lock_queues(connection, [name])


def add_a_queue_late(connection: Connection) -> None:
    lock_queues(connection, [BOT])
    ensure_queues(connection, ["deliver:new"])


def promote_without_the_queue(connection: Connection) -> None:
    connection.execute(update(jobs).where(jobs.c.due_at.is_(None)).values(due_at=NOON))


@pytest.mark.parametrize(
    ("work", "violation"),
    [
        (lock_upwards, "locks events after queues"),
        (lock_by_chance, "locks several receipts in no order"),
        (lock_backwards, f"locks queues {BOT} after {CRM}"),
        (add_a_queue_late, "locks missing queues after queues"),
        (promote_without_the_queue, f"changes jobs without the lock on ('queues', '{CRM}')"),
    ],
)
def test_a_transaction_that_takes_its_locks_otherwise_is_found(
    store: Store, work: Callable[[Connection], None], violation: str
) -> None:
    add_events(store, *(split_event(name, to=("crm", "bot"), order_key=1) for name in "ab"))
    store.receipts.add(new_receipt(b"another"))

    def transaction() -> None:
        store.write(work)

    recorder = Recorder({transaction.__code__: "it"})
    with recorder.recording():
        transaction()

    [recorded] = recorder.transactions
    assert f"it {violation}" in recorded.violations()
