"""An outage of the database is told when it begins and when it ends, not by each request that meets it."""

import logging

import pytest

from app.store import Store, StoreUnavailable
from app.store.engine.errors import FREE_IT
from tests.support.store import new_receipt

LOGGER = "app.store.outage"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


def meet(store: Store, times: int = 1) -> None:
    for number in range(times):
        store.outage.met(StoreUnavailable("the database is locked"), request_id=f"request-{number}")


def test_a_hundred_requests_that_meet_an_outage_are_one_line(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    meet(store, times=100)

    [line] = [record for record in caplog.records if record.name == LOGGER]
    assert (line.levelno, vars(line)["request_id"]) == (logging.WARNING, "request-0")
    assert vars(line)["reason"] == f"the database is locked; {FREE_IT} (see the database's URL)"


@pytest.mark.parametrize("works", ["a receipt", "another write"])
def test_the_first_write_that_works_again_ends_the_outage(
    store: Store, caplog: pytest.LogCaptureFixture, works: str
) -> None:
    caplog.set_level("INFO")
    meet(store)

    for number in range(2):
        if works == "a receipt":
            store.receipts.add(new_receipt(f"{number}".encode()))
        else:
            store.write(lambda connection: None)

    assert lines(caplog) == ["store.unavailable", "store.available"]


def test_an_outage_that_comes_again_at_once_adds_no_lines(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    for _ in range(5):
        meet(store)
        store.write(lambda connection: None)

    assert lines(caplog) == ["store.unavailable", "store.available"]
