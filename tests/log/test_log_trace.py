"""A trace has frames, types and what an operator needs; a message that may hold data is left out."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.log.trace import trace_of
from app.store import StoreUnavailable
from app.store.engine import sqlite

PHONE = "4915112345678"


def trace_when(fail: Callable[[], object]) -> str:
    try:
        fail()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return trace_of(error)
    pytest.fail("nothing was raised")


def look_up() -> object:
    return {}[PHONE]


def look_up_for_us() -> None:
    try:
        look_up()
    except KeyError as error:
        raise StoreUnavailable("the disk is full") from error


def look_up_again() -> None:
    try:
        look_up()
    except KeyError:
        raise LookupError(PHONE)  # noqa: B904 - without a cause


def fail_twice() -> None:
    raise ExceptionGroup(PHONE, [ValueError(PHONE), StoreUnavailable("the disk is full")])


def test_a_trace_shows_frames_and_the_type_and_no_message_of_a_foreign_exception() -> None:
    trace = trace_when(look_up)

    assert trace.startswith("Traceback (most recent call last):\n")
    assert "in look_up\n" in trace
    assert trace.endswith("\nKeyError\n")
    assert PHONE not in trace


def test_a_message_of_ours_stays_and_its_cause_has_none() -> None:
    trace = trace_when(look_up_for_us)

    assert "\nKeyError\n\nThe above exception was the direct cause of the following exception:\n" in trace
    assert trace.endswith("\napp.store.engine.errors.StoreUnavailable: the disk is full\n")
    assert PHONE not in trace


def test_what_was_handled_when_another_exception_occurred_comes_first() -> None:
    trace = trace_when(look_up_again)

    assert "\nKeyError\n\nDuring handling of the above exception, another exception occurred:\n" in trace
    assert trace.endswith("\nLookupError\n")
    assert PHONE not in trace


def test_each_exception_of_a_group_is_shown() -> None:
    trace = trace_when(fail_twice)

    assert "\nExceptionGroup\nValueError\napp.store.engine.errors.StoreUnavailable: the disk is full\n" in trace
    assert PHONE not in trace


def test_exceptions_that_lead_to_each_other_are_shown_once() -> None:
    first, second = ValueError(PHONE), KeyError(PHONE)
    first.__cause__, second.__cause__ = second, first

    assert trace_of(first).splitlines()[0::4] == ["KeyError", "ValueError"]


def raise_a_part_of_a_group() -> None:
    try:
        raise ExceptionGroup(PHONE, [ValueError(PHONE)])
    except ExceptionGroup as group:
        raise group.exceptions[0]  # noqa: B904 - its context is the group that it is a part of


def test_an_exception_that_is_a_part_of_its_own_context_is_shown_once() -> None:
    trace = trace_when(raise_a_part_of_a_group)

    assert [line for line in trace.splitlines() if line.endswith(("Group", "Error"))] == [
        "ExceptionGroup",
        "ValueError",
    ]
    assert PHONE not in trace


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), PHONE), "OSError: [Errno 28] No space left on device"),
        (OSError(errno.ENOSPC, PHONE), "OSError: [Errno 28]"),
        (OSError(PHONE), "OSError"),
        (psycopg.errors.UniqueViolation(PHONE), "psycopg.errors.UniqueViolation: 23505"),
        (psycopg.OperationalError(PHONE), "psycopg.OperationalError"),
    ],
)
def test_the_number_of_a_system_error_and_the_code_of_a_database_are_shown(
    error: Exception, description: str
) -> None:
    assert trace_of(error) == f"{description}\n"


def test_sqlites_name_of_an_error_is_shown(tmp_path: Path) -> None:
    trace = trace_when(lambda: sqlite.driver().connect(tmp_path / PHONE / "none"))

    assert trace.endswith(".OperationalError: SQLITE_CANTOPEN\n")
    assert PHONE not in trace
