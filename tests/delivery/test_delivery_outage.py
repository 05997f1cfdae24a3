"""A destination that is down for a day: its deliveries wait, arrive later, and delay no other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from app.assembly import build_gateway
from app.config import Settings
from app.delivery.deliver import prepare_deliveries
from app.domain.destination import DestinationState, queue_of_destination, state_of
from app.domain.queue import ClaimRequest
from app.gateway import Gateway
from tests.support.deliveries import LEASE, numbered, put_deliveries
from tests.support.destinations import ClientConnection, ScriptedDestination
from tests.support.store import StoreMaker, make_store
from tests.support.work import Clock, clock

pytestmark = pytest.mark.usefixtures("unmeasured")

__all__ = ["clock", "make_store"]

CRM, BOT = "crm", "bot"
STEP = timedelta(minutes=10)
EVENTS = 12


@pytest.fixture
def crm() -> Iterator[ScriptedDestination]:
    crm = ScriptedDestination()
    yield crm
    crm.close()


@pytest.fixture
def bot() -> Iterator[ScriptedDestination]:
    bot = ScriptedDestination()
    yield bot
    bot.close()


@pytest.fixture
def gateway(
    settings: Settings, crm: ScriptedDestination, bot: ScriptedDestination, clock: Clock, make_store: StoreMaker
) -> Gateway:
    """A worker's gateway, on a clock that the test moves."""
    urls = {CRM: crm.url, BOT: bot.url}
    destinations = tuple(replace(each, url=urls[each.name]) for each in settings.destinations)
    made = build_gateway(replace(settings, destinations=destinations))
    made.store.upgrade_schema()
    store = make_store(settings.storage.url, clock=clock)
    return replace(made, store=store, clock=clock, jitter=lambda: 0.5)


def work(gateway: Gateway) -> None:
    """Handle the due jobs of each queue, as a worker would."""
    for destination in gateway.settings.destinations:
        queue, most = queue_of_destination(destination.name), destination.max_in_flight
        while jobs := gateway.store.jobs.claim(ClaimRequest(queue, most, most), LEASE):
            gateway.store.jobs.settle([task() for _, task in prepare_deliveries(jobs, gateway)])


def work_for(hours: int, gateway: Gateway, clock: Clock) -> None:
    for _ in range(timedelta(hours=hours) // STEP):
        work(gateway)
        clock.advance(STEP)


def pushed(destination: ScriptedDestination) -> set[bytes]:
    return {call.body for call in destination.calls}


def test_an_outage_of_a_day_loses_nothing_and_delays_no_other(
    gateway: Gateway, crm: ScriptedDestination, bot: ScriptedDestination, clock: Clock
) -> None:
    put_deliveries(gateway.store, *numbered(EVENTS), to=[CRM, BOT])
    crm.will_say(then=ClientConnection.reset)

    work(gateway)
    assert len(bot.calls) == len(pushed(bot)) == EVENTS
    work_for(24, gateway, clock)
    queue = gateway.store.queues.get(queue_of_destination(CRM))
    assert state_of(queue) is DestinationState.FAILING
    assert gateway.store.deliveries.counts()[CRM].waiting == EVENTS
    failed = len(crm.calls)
    crm.recover()
    work_for(13, gateway, clock)

    delivered = crm.calls[failed:]
    assert len(delivered) == len({call.headers["webhook-id"] for call in delivered}) == EVENTS
    assert gateway.store.deliveries.counts() == {}
    assert state_of(gateway.store.queues.get(queue_of_destination(CRM))) is DestinationState.ACTIVE
    assert len(bot.calls) == EVENTS


def test_a_destination_that_answers_410_gets_one_attempt_until_a_human_resumes_it(
    gateway: Gateway, crm: ScriptedDestination, clock: Clock
) -> None:
    put_deliveries(gateway.store, *numbered(1), to=[CRM])
    crm.will_answer(410)
    work_for(24, gateway, clock)
    assert len(crm.calls) == 1
    crm.recover()

    gateway.store.queues.resume(queue_of_destination(CRM))
    work(gateway)

    assert len(crm.calls) == 2
    assert gateway.store.deliveries.counts() == {}


def test_a_destination_gets_nothing_for_as_long_as_it_asks(
    gateway: Gateway, crm: ScriptedDestination, clock: Clock
) -> None:
    put_deliveries(gateway.store, *numbered(EVENTS), to=[CRM])
    crm.will_answer(429, Retry_After="7200")
    work(gateway)
    asked = len(crm.calls)
    crm.recover()

    work_for(1, gateway, clock)
    assert len(crm.calls) == asked
    work_for(3, gateway, clock)

    assert len(crm.calls[asked:]) == len(pushed(crm)) == EVENTS


def test_an_event_that_is_never_accepted_is_attempted_15_times_in_three_days(
    gateway: Gateway, crm: ScriptedDestination, clock: Clock
) -> None:
    put_deliveries(gateway.store, *numbered(1), to=[CRM])
    crm.will_answer(400)

    work_for(5 * 24, gateway, clock)

    assert len(crm.calls) == 15
    assert len({(call.body, call.headers["webhook-id"]) for call in crm.calls}) == 1
    assert gateway.store.deliveries.counts()[CRM].dead == 1
