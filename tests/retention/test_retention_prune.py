"""The singleton job that prunes: a pass in small steps, and a rest after each."""

from datetime import timedelta

from app.domain.job import PRUNE_QUEUE, Job, Retry
from app.gateway import Gateway
from app.retention.prune import PAUSE, Pruning
from app.store.tables.schema import receipts
from app.store.transactions.prune import STEP_ROWS
from tests.support.events import new_event, put_events
from tests.support.store import new_receipt

JOB = Job(1, PRUNE_QUEUE, 0, 0, 1)


def put_old(gateway: Gateway, number: int) -> None:
    """Receipts and events from before anything is kept for."""
    gateway.store.receipts.add_all([new_receipt(b"%d" % each) for each in range(number)])
    gateway.store.database.write(lambda c: c.execute(receipts.update().values(state="split")))
    put_events(gateway.store, *map(new_event, range(number)))


def left(gateway: Gateway) -> tuple[int, int]:
    return gateway.store.receipts.counts().total, gateway.store.events.counts().total


def test_a_pass_takes_everything_that_is_old_and_comes_back_in_an_hour(gateway: Gateway) -> None:
    put_old(gateway, STEP_ROWS + 1)

    outcome = Pruning(gateway, rest=lambda _: None, run_seconds=60).prune(JOB)

    assert outcome == Retry(PAUSE)
    assert left(gateway) == (0, 0)


def test_what_is_young_stays(gateway: Gateway) -> None:
    now = gateway.clock()
    put_events(gateway.store, new_event("young"), received_at=now - timedelta(days=29))
    put_events(gateway.store, new_event("old"), received_at=now - timedelta(days=31))

    Pruning(gateway).prune(JOB)

    assert [each.data["text"] for each in gateway.store.events.after(0, limit=9)] == ["young"]


def test_a_run_that_has_taken_long_enough_goes_on_at_once(gateway: Gateway) -> None:
    put_old(gateway, 3)
    pruning = Pruning(gateway, rest=lambda _: None, run_seconds=0)

    outcome = pruning.prune(JOB)

    assert outcome == Retry(timedelta())
    assert left(gateway) == (3, 3)


def test_many_that_must_stay_do_not_hold_up_those_behind(gateway: Gateway) -> None:
    gateway.store.receipts.add_all([new_receipt(b"waits %d" % number) for number in range(STEP_ROWS)])
    gateway.store.receipts.add(new_receipt(b"behind"))
    behind = receipts.c.id == STEP_ROWS + 1
    gateway.store.database.write(lambda c: c.execute(receipts.update().where(behind).values(state="split")))
    pruning = Pruning(gateway, rest=lambda _: None, run_seconds=0.000001)

    runs = [pruning.prune(JOB) for _ in range(8)]

    assert Retry(PAUSE) in runs
    assert gateway.store.receipts.get(f"rcp_{STEP_ROWS + 1}") is None


def test_there_is_a_rest_after_each_step(gateway: Gateway) -> None:
    put_old(gateway, STEP_ROWS + 1)
    rests: list[float] = []

    Pruning(gateway, rest=rests.append, run_seconds=60).prune(JOB)

    assert len(rests) >= 5
    assert all(seconds > 0 for seconds in rests)
