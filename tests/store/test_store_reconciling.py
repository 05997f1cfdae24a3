"""Meta is asked about each message whose statuses have not come, a few times at most and never too early."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, String, event, func, insert, select, text, true, update

from app.domain.event import Contact
from app.domain.message import Message, MessageStatus
from app.domain.meta.status_update import StatusUpdate
from app.domain.reconciling import QUIET, ROUNDS, Candidate, Round
from app.store import Store
from app.store.tables import reconciling
from app.store.tables.message_schema import messages
from tests.support.messages import DAY, NUMBER, accept, new_message
from tests.support.store import NOON
from tests.support.work import Clock

NUMBERS = [NUMBER]
FIRST, SECOND, LAST = ROUNDS
BY_KEY = {
    "SEARCH messages USING INTEGER PRIMARY KEY (rowid>?)",
    "->  Index Scan using messages_pkey on messages",
    "->  Index Only Scan using messages_pkey on messages",
}


def stored(store: Store, status: str = "accepted", *, at: datetime = NOON, **values: Any) -> Message:
    """Return a message with this status since then. Its wamid is its id."""
    [message] = accept(store, new_message(number=values.pop("number", NUMBER)))
    fixed = {"status": status, "wamid": message.id, "created_at": at, "updated_at": at}
    change = update(messages).where(messages.c.id == message.row_id).values({**fixed, **values})
    store.write(lambda c: c.execute(change))
    return message


def make_table_big(connection: Connection) -> None:
    """Copy each message ten times: PostgreSQL reads a table as a whole of which it needs most."""
    names = [column.name for column in messages.columns if column.name not in ("id", "message_id")]
    copies = select(func.decode(func.md5(func.random().cast(String)), "hex"), *(messages.c[name] for name in names))
    copies = copies.select_from(messages.join(func.generate_series(1, 10).table_valued("n"), true()))
    connection.execute(insert(messages).from_select(["message_id", *names], copies.order_by(messages.c.id)))
    connection.execute(text("ANALYZE messages"))


@contextmanager
def executed(store: Store) -> Iterator[dict[str, Any]]:
    """Collect the statements that are executed meanwhile, with their parameters."""
    statements: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, sql: str, values: Any, _context: object, _many: bool) -> None:
        if sql.startswith(("SELECT", "UPDATE")):
            statements[sql] = values

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def plans(store: Store, statements: dict[str, Any]) -> list[str]:
    """The plans of these queries, line by line without costs."""
    explain = "EXPLAIN QUERY PLAN" if store.kind == "sqlite" else "EXPLAIN (COSTS OFF)"
    queries = [(f"{explain} {sql}", values) for sql, values in statements.items() if "FROM messages" in sql]
    return store.database.read(
        lambda c: [str(row[-1]).strip() for sql, values in queries for row in c.exec_driver_sql(sql, values)]
    )


def asked_by(store: Store, round_: Round) -> list[str]:
    """The messages that a round asks about now, each by its wamid. Meta tells nothing new."""
    asked = []
    while not (found := store.reconciling.find(round_, NUMBERS)).is_end:
        if found.candidate is not None:
            asked.append(found.candidate.wamid)
            store.reconciling.record(round_, found.candidate, ())
    return asked


def test_a_message_is_asked_about_once_in_each_round_and_no_more(timed: Store, clock: Clock) -> None:
    message = stored(timed)
    found = {}

    for after in (QUIET - timedelta(seconds=1), QUIET, DAY, 8 * DAY, 13 * DAY):
        clock.now = NOON + after
        found[after] = [asked_by(timed, each) for each in ROUNDS]
        assert [asked_by(timed, each) for each in ROUNDS] == [[], [], []]

    once = [message.id]
    assert list(found.values()) == [[[], [], []], [once, [], []], [[], once, []], [[], [], once], [[], [], []]]


def test_only_messages_that_may_have_lost_statuses_are_asked_about(timed: Store, clock: Clock) -> None:
    accepted = stored(timed)
    for status in ("queued", "unknown", "delivered", "failed"):
        stored(timed, status)
    sent = stored(timed, "sent")
    stored(timed, "sent", type="reaction")
    stored(timed, number="gone")
    stored(timed, wamid=None)
    stored(timed, at=NOON - 20 * DAY)
    clock.advance(DAY)

    assert asked_by(timed, FIRST) == [accepted.id]
    assert asked_by(timed, SECOND) == [accepted.id, sent.id]


def test_a_round_waits_for_a_message_whose_status_is_young_and_not_for_one_that_is_queued(
    timed: Store, clock: Clock
) -> None:
    stored(timed, "queued")
    late = stored(timed, updated_at=NOON + DAY)
    clock.advance(DAY + QUIET - timedelta(seconds=1))
    early = asked_by(timed, FIRST)

    clock.advance(timedelta(seconds=1))

    assert (early, asked_by(timed, FIRST)) == ([], [late.id])


def test_a_message_of_a_clock_that_was_ahead_holds_up_no_round(timed: Store, clock: Clock) -> None:
    ahead, other = stored(timed, at=NOON + 300 * DAY), stored(timed)
    clock.advance(QUIET)

    assert asked_by(timed, FIRST) == [ahead.id, other.id]


def test_many_messages_are_walked_in_steps_by_the_primary_key(timed: Store, clock: Clock) -> None:
    accept(timed, *(new_message() for _ in range(reconciling.STEP_MESSAGES + 1)))
    clock.advance(DAY)
    last = stored(timed)

    if timed.kind == "postgresql":
        timed.write(make_table_big)

    with executed(timed) as statements:
        step = timed.reconciling.find(FIRST, NUMBERS)

    assert (step.candidate, step.is_end) == (None, False)
    assert asked_by(timed, FIRST)[:1] == [last.id]
    assert {line for line in plans(timed, statements) if "messages" in line} <= BY_KEY


def test_a_round_writes_nothing_when_nothing_has_come(timed: Store, clock: Clock) -> None:
    stored(timed, "delivered")
    clock.advance(DAY)
    asked_by(timed, FIRST)

    with executed(timed) as statements:
        assert timed.reconciling.find(FIRST, NUMBERS).is_end

    assert statements
    assert not [sql for sql in statements if not sql.startswith("SELECT")]


def test_what_meta_tells_never_moves_a_status_back(timed: Store, clock: Clock) -> None:
    message = stored(timed)
    clock.advance(QUIET)
    candidate = timed.reconciling.find(FIRST, NUMBERS).candidate
    assert candidate == Candidate(message.row_id, NUMBER, message.id)

    for status in (MessageStatus.READ, MessageStatus.SENT):
        told = StatusUpdate(message.id, NUMBER, status, NOON, Contact())
        timed.reconciling.record(FIRST, candidate, [told])

    found = timed.messages.get(message.id)
    assert found is not None
    assert (found.status, [entry.status for entry in found.history][-2:]) == ("read", ["read", "sent"])
