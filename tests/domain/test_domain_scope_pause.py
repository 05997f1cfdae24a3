"""Scopes that are paused: for how long, what ends the pause, and what a number may send meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.meta.graph_errors import ErrorClass, ErrorScope
from app.domain.scope_pause import PROBE_EVERY, Refusal, ScopePause, pause_after, scope_name, scopes_of
from app.domain.send_plan import SCOPE_REST, ScopeGate, scope_gate

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NUMBER, WABA = "106540352242922", "102290129340398"


def refusal(
    error_class: ErrorClass, *, code: int = 1, delay: timedelta = timedelta(), is_late: bool = False
) -> Refusal:
    return Refusal(error_class, ErrorScope.APP, code, "because", delay, is_late)


def pauses_of(error_class: ErrorClass, trips: int, delay: timedelta = timedelta()) -> list[timedelta]:
    """How long a scope is paused by refusals in a row, each of a probe."""
    pause, now, lengths = None, NOON, []
    for _ in range(trips):
        pause = pause_after(pause, "app", refusal(error_class, delay=delay), now, now)
        assert pause.until is not None
        lengths.append(pause.until - now)
        now = pause.until
    return lengths


def test_a_cure_that_is_in_the_reason_is_printed_once() -> None:
    stopped = "the customer has stopped marketing messages of this business"
    pause = ScopePause("marketing", ErrorClass.RECIPIENT, 131050, stopped, NOON, None, 1)

    assert (pause.cure(), pause.explained()) == (None, stopped)


def test_an_error_without_a_listed_cure_is_logged_as_meta_said_it() -> None:
    pause = ScopePause("app", ErrorClass.THROTTLED, 4, "4: too many calls", NOON, None, 1)

    assert pause.explained() == "4: too many calls"


@pytest.mark.parametrize(
    ("error_class", "lengths"),
    [
        (ErrorClass.STOPPED, [5, 5, 5]),
        (ErrorClass.COOLED, [10, 60, 120, 240, 240]),
        (ErrorClass.THROTTLED, [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
    ],
)
def test_each_class_pauses_its_scope_in_its_own_way(error_class: ErrorClass, lengths: list[float]) -> None:
    assert pauses_of(error_class, len(lengths)) == [length * MINUTE for length in lengths]


def test_a_scope_is_paused_at_least_as_long_as_meta_asks_but_an_hour_at_most() -> None:
    assert pauses_of(ErrorClass.THROTTLED, 1, delay=3 * MINUTE) == [3 * MINUTE]
    assert pauses_of(ErrorClass.THROTTLED, 1, delay=300 * MINUTE) == [60 * MINUTE]
    assert pauses_of(ErrorClass.COOLED, 1, delay=30 * MINUTE) == [30 * MINUTE]
    assert pauses_of(ErrorClass.COOLED, 1, delay=3000 * MINUTE) == [240 * MINUTE]


def test_a_refusal_of_what_was_sent_before_the_pause_changes_nothing() -> None:
    pause = pause_after(None, "app", refusal(ErrorClass.COOLED), NOON, NOON)

    assert pause_after(pause, "app", refusal(ErrorClass.STOPPED), NOON + MINUTE, NOON - MINUTE) == pause


def test_a_pause_that_is_over_begins_again_with_what_is_refused_later_only() -> None:
    pause = pause_after(None, "app", refusal(ErrorClass.STOPPED), NOON, NOON)

    over = pause.ended(NOON + MINUTE)

    assert (pause.is_over, over.is_over) == (False, True)
    assert pause_after(over, "app", refusal(ErrorClass.STOPPED), NOON + 2 * MINUTE, NOON + MINUTE) == over
    assert pause_after(over, "app", refusal(ErrorClass.STOPPED), NOON + 2 * MINUTE, NOON + 2 * MINUTE).trips == 1


def test_a_pause_of_a_clock_that_was_ahead_hides_no_refusal() -> None:
    over = pause_after(None, "app", refusal(ErrorClass.STOPPED), NOON, NOON).ended(NOON + 60 * MINUTE)

    assert pause_after(over, "app", refusal(ErrorClass.STOPPED), NOON, NOON).trips == 1


def test_another_class_begins_anew() -> None:
    pause = pause_after(None, "app", refusal(ErrorClass.COOLED), NOON, NOON)
    pause = pause_after(pause, "app", refusal(ErrorClass.STOPPED), NOON + MINUTE, NOON + MINUTE)

    assert (pause.error_class, pause.trips, pause.until) == (ErrorClass.STOPPED, 1, NOON + MINUTE + PROBE_EVERY)


def test_an_account_that_fails_what_it_accepts_is_resumed_by_hand_only() -> None:
    pause = pause_after(None, "app", refusal(ErrorClass.STOPPED, is_late=True), NOON, NOON)

    assert pause.until is None
    assert not pause.is_probe_due(NOON + timedelta(days=30))
    later = pause_after(pause, "app", refusal(ErrorClass.COOLED), NOON + MINUTE, NOON + MINUTE)
    assert later == replace(pause, refused_at=NOON + MINUTE)


def test_a_word_of_metas_that_is_older_than_its_last_refusal_ends_no_pause() -> None:
    stopped = refusal(ErrorClass.REQUEST)
    pause = pause_after(None, "app", stopped, NOON + 9 * MINUTE, NOON + 2 * MINUTE)
    again = pause_after(pause, "app", stopped, NOON + 10 * MINUTE, NOON + 4 * MINUTE)
    older = pause_after(again, "app", stopped, NOON + 11 * MINUTE, NOON + 3 * MINUTE)

    assert [one.reinstated(NOON + 3 * MINUTE).is_over for one in (pause, again, older)] == [True, False, False]
    assert older.reinstated(NOON + 4 * MINUTE).is_over


def test_a_pause_of_older_code_ends_whenever_meta_says_so() -> None:
    pause = ScopePause("app", ErrorClass.STOPPED, 190, "", NOON, None, 1)

    assert pause.reinstated(NOON - MINUTE).is_over


def test_a_pause_that_is_logged_is_logged_again_for_another_code_only() -> None:
    pause = ScopePause("app", ErrorClass.STOPPED, 190, "token", NOON, NOON, 1, is_logged=True)

    again = [
        pause_after(pause, "app", refusal(ErrorClass.STOPPED, code=code), NOON + MINUTE, NOON + MINUTE)
        for code in (190, 10)
    ]

    assert [pause.is_logged for pause in again] == [True, False]


def test_a_probe_is_due_once_the_pause_is_over_or_lies_impossibly_far_ahead() -> None:
    pause = pause_after(None, "app", refusal(ErrorClass.COOLED), NOON, NOON)

    assert not pause.is_probe_due(NOON)
    assert pause.is_probe_due(NOON + 10 * MINUTE)
    assert pause.is_probe_due(NOON - timedelta(days=1))


def test_a_number_belongs_to_the_app_its_account_and_itself() -> None:
    assert scopes_of(NUMBER, WABA) == ["app", f"number:{NUMBER}", f"waba:{WABA}"]
    assert scopes_of(NUMBER, None) == ["app", f"number:{NUMBER}"]
    assert scope_name(ErrorScope.WABA, NUMBER, None) == f"number:{NUMBER}"
    assert scope_name(ErrorScope.TEMPLATE, NUMBER, WABA) is None


def test_nothing_is_limited_while_no_scope_is_paused() -> None:
    assert scope_gate([], NOON) == ScopeGate()


def test_nothing_leaves_while_a_scope_is_paused() -> None:
    short, long = (
        ScopePause(name, ErrorClass.THROTTLED, 4, "", NOON, NOON + seconds * timedelta(seconds=1), 1)
        for name, seconds in (("app", 7), ("number:1", 3600))
    )
    by_hand = ScopePause("waba:1", ErrorClass.STOPPED, 131042, "", NOON, None, 1)

    assert scope_gate([short], NOON) == ScopeGate(0, rest_until=NOON + timedelta(seconds=7))
    assert scope_gate([long], NOON) == ScopeGate(0, rest_until=NOON + SCOPE_REST)
    assert scope_gate([by_hand], NOON) == ScopeGate(0, rest_until=NOON + SCOPE_REST)
    assert scope_gate([short, by_hand], NOON + MINUTE).limit == 0


def test_one_message_leaves_as_the_probe_of_all_scopes_whose_pause_is_over() -> None:
    pauses = [ScopePause(name, ErrorClass.STOPPED, 190, "", NOON, NOON, 1) for name in ("app", "number:1")]

    gate = scope_gate(pauses, NOON)

    assert (gate.limit, gate.rest_until) == (1, NOON + SCOPE_REST)
    assert [pause.until for pause in gate.probing] == [NOON + MINUTE] * 2
    assert scope_gate(gate.probing, NOON).limit == 0
