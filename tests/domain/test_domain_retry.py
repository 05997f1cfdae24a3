from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.job import Dead, Done, Retry
from app.domain.job_result import QueueSignal
from app.domain.push_response import PushResponse
from app.domain.retry import MAX_WAIT, PAUSES, outcome_of, pause_after, retry_after_of

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
ON_TIME = 0.5
LAST = len(PAUSES)


def answered(status: int, retry_after: timedelta | None = None) -> PushResponse:
    return PushResponse(status, None, retry_after, 12)


def failed(error: str) -> PushResponse:
    return PushResponse(None, error, None, 12)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_means_delivered(status: int) -> None:
    assert outcome_of(answered(status, timedelta(hours=1)), 0, ON_TIME) == (Done(), QueueSignal.SUCCESS, None)


@pytest.mark.parametrize("status", [103, 199, 300, 301, 307, 408, 425, 429, 500, 503, 599, 999])
def test_a_status_that_is_not_about_the_event_is_a_failure_of_the_destination(status: int) -> None:
    assert outcome_of(answered(status), 0, ON_TIME) == (Retry(timedelta(seconds=5)), QueueSignal.FAILURE, None)


def test_an_error_without_a_response_is_a_failure_of_the_destination() -> None:
    outcome = outcome_of(failed("connection refused"), 1, ON_TIME)

    assert outcome == (Retry(timedelta(seconds=30)), QueueSignal.FAILURE, None)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 499])
def test_a_refused_event_is_retried_and_delays_no_other(status: int) -> None:
    outcome = outcome_of(answered(status, timedelta(hours=1)), 0, ON_TIME)

    assert outcome == (Retry(timedelta(seconds=5)), QueueSignal.REFUSAL, None)


@pytest.mark.parametrize("attempts", [0, LAST, LAST + 1])
def test_deliveries_to_a_destination_that_is_gone_wait_for_a_human(attempts: int) -> None:
    outcome = outcome_of(answered(410), attempts, ON_TIME)

    assert outcome == (Retry(timedelta(seconds=5)), QueueSignal.GONE, None)


def test_the_pauses_grow_and_end_after_about_three_days() -> None:
    pauses = [pause_after(attempts, ON_TIME) for attempts in range(LAST)]

    assert [pause.total_seconds() for pause in pauses[:9]] == [5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800]
    assert set(pauses[9:]) == {timedelta(hours=12)}
    assert timedelta(days=3) < sum(pauses, timedelta()) < timedelta(days=3.5)


def test_pauses_vary_by_a_fifth_both_ways() -> None:
    assert pause_after(5, 0) == timedelta(minutes=48)
    assert pause_after(5, 1) == timedelta(minutes=72)


@pytest.mark.parametrize(
    ("response", "reason"),
    [(answered(500), "HTTP 500 after 15 attempts"), (failed("timed out"), "timed out after 15 attempts")],
)
def test_after_the_last_attempt_it_is_dead_with_a_reason(response: PushResponse, reason: str) -> None:
    assert outcome_of(response, LAST - 1, ON_TIME)[0] == Retry(timedelta(hours=12))
    assert outcome_of(response, LAST, ON_TIME) == (Dead(reason), QueueSignal.FAILURE, None)


def test_a_retry_after_delays_the_queue_and_never_shortens_the_pause() -> None:
    long, short = timedelta(minutes=3), timedelta(seconds=1)

    assert outcome_of(answered(429, long), 0, ON_TIME) == (Retry(long), QueueSignal.FAILURE, long)
    assert outcome_of(answered(503, short), 1, ON_TIME) == (Retry(timedelta(seconds=30)), QueueSignal.FAILURE, short)


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("120", timedelta(minutes=2)),
        (" 120 ", timedelta(minutes=2)),
        ("86400", MAX_WAIT),
        ("99999999999999999999", MAX_WAIT),
        (format_datetime(NOON + timedelta(minutes=7), usegmt=True), timedelta(minutes=7)),
        ("Friday, 02-Jan-26 12:07:00 GMT", timedelta(minutes=7)),
        ("Fri Jan  2 12:07:00 2026", timedelta(minutes=7)),
        ("Fri, 02 Jan 2026 13:07:00 +0100", timedelta(minutes=7)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_WAIT),
    ],
)
def test_a_retry_after_is_in_seconds_or_a_date_and_a_day_at_most(header: str, delay: timedelta) -> None:
    assert retry_after_of(header, NOON) == delay


@pytest.mark.parametrize(
    "header",
    [None, "", "0", "-5", "1.5", "soon", "١٢", "120, 120", "\x00", "9" * 60000, "Thu, 01 Jan 2026 12:00:00 GMT"],
)
def test_a_retry_after_that_is_past_or_invalid_is_none(header: str | None) -> None:
    assert retry_after_of(header, NOON) is None


@given(
    st.text(alphabet=st.characters(max_codepoint=255)) | st.from_regex(r"[A-Z][a-z]{2}, \d+ Jan \d+ \d+:\d+:\d+ .*")
)
def test_no_header_raises(header: str) -> None:
    delay = retry_after_of(header, NOON)

    assert delay is None or timedelta() < delay <= MAX_WAIT
