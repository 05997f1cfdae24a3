"""Which conditions need a human."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.alert import Alert
from app.domain.breaker import Breaker
from app.domain.clock import ClockJump
from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationState, DestinationStatus
from app.domain.failure_sign import FailureSign
from app.domain.foreign_events import ForeignSource
from app.domain.heartbeat import Heartbeat
from app.domain.meta.access_token import TokenLife
from app.domain.meta.graph_errors import ErrorClass
from app.domain.meta.warnings import ACCOUNT, QUALITY, MetaWarning
from app.domain.queue import QueueDepth, QueueState
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.scope_pause import ScopePause
from app.health import alert_kinds as kinds
from app.health.alerts import alerts_of, alerts_of_checks, current_alerts
from app.health.gauges import MAX_SUBJECTS, attention_gauge
from app.health.sending_alert_kinds import REACHED_AGAIN
from app.health.snapshot import Snapshot
from app.store import EventCounts, MessageCounts, ReceiptCounts, Signs

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ALIVE = Heartbeat("gateway-1:412", "worker", "0.1.0", NOW, NOW)
AWAKE = replace(ALIVE, at=NOW.replace(month=7))
DEAD = replace(ALIVE, at=NOW - timedelta(minutes=1))
PAUSE = ScopePause("app", ErrorClass.STOPPED, 190, "190/463: expired", NOW, NOW, 1)
HELD_BACK = QueueState("send:1", False, False, Breaker(5, NOW), None, NOW, "connection refused")
FILES = replace(HELD_BACK, name="media")
LATELY: dict[str, Any] = {"breaker": Breaker(), "was_open_at": NOW - timedelta(minutes=4)}
REFUSED = RefusedWebhooks("signature_mismatch", 3, NOW - timedelta(minutes=5), NOW)
CRM = DestinationStatus("crm", DestinationState.ACTIVE, 3, 0, None, NOW, "HTTP 500")

FAILING, PAUSED = replace(CRM, state=DestinationState.FAILING), replace(CRM, state=DestinationState.PAUSED)
IN_A_DAY = NOW + timedelta(days=1)
LONG_AGO = NOW - timedelta(minutes=15)


def receipts(*, pending: int = 0, unreadable: int = 0, oldest_seconds: float | None = None) -> ReceiptCounts:
    oldest = None if oldest_seconds is None else NOW - timedelta(seconds=oldest_seconds)
    return ReceiptCounts(9, pending, unreadable, oldest, NOW)


HEALTHY = Snapshot(
    now=NOW,
    receipts=receipts(pending=3, oldest_seconds=2.5),
    events=EventCounts(9, 0),
    queues=[],
    deliveries={"crm": DeliveryCounts(3, 0)},
    destinations=[CRM],
    workers=[ALIVE],
    consumers_ahead=[],
)


def test_an_account_that_may_work_again_is_no_alert() -> None:
    assert alerts_of(replace(HEALTHY, pauses=(replace(PAUSE, steps=0),))) == []


def test_a_healthy_gateway_has_no_alerts() -> None:
    assert alerts_of(HEALTHY) == []


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"workers": []}, "no_worker"),
        ({"media_folder_problems": (("web-1", "media.directory is used by another copy"),)}, "media_folder"),
        ({"workers": [DEAD]}, "no_worker"),
        ({"receipts": receipts(pending=3, oldest_seconds=61.2)}, "receipts_wait"),
        ({"receipts": receipts(unreadable=2)}, "unreadable"),
        ({"destinations": [replace(CRM, state=DestinationState.FAILING)]}, "failing"),
        ({"destinations": [replace(CRM, state=DestinationState.DISABLED)]}, "disabled"),
        ({"workers": [replace(ALIVE, at=NOW + timedelta(hours=1))]}, "no_worker"),
        ({"clock_jump": ClockJump(NOW - timedelta(hours=1), -93_600)}, "clock_jumped"),
        ({"clock_jump": ClockJump(NOW, 3600)}, "clock_jumped"),
        ({"deliveries": {"gone": DeliveryCounts(0, 1)}}, "dead_letters"),
        ({"media_given_up": 2}, "media_given_up"),
        ({"troubled": (FILES,)}, "media_held_back"),
        ({"troubled": (replace(FILES, **LATELY),)}, "media_held_back"),
        ({"consumers_ahead": ["crm"]}, "consumer_ahead"),
        ({"pauses": (PAUSE,)}, "sending_paused"),
        ({"messages": MessageCounts(unknown=1)}, "unknown_messages"),
        ({"messages": MessageCounts(sent_twice=1)}, "sent_twice"),
        ({"orphaned": (QueueDepth("send:1", 2, 0, NOW),)}, "number_not_listed"),
        ({"pauses": (replace(PAUSE, until=None),)}, "sending_paused"),
        ({"troubled": (HELD_BACK,)}, "meta_not_reached"),
        ({"troubled": (replace(HELD_BACK, **LATELY),)}, "meta_not_reached"),
        ({"refused": (REFUSED,)}, "webhooks_refused"),
        ({"foreign": (ForeignSource("7", "8", 1, NOW, NOW),)}, "foreign_events"),
        ({"signs": Signs([], [], [FailureSign("130497:+49", 1, NOW, {"code": 130497})])}, "messages_refused"),
        ({"signs": Signs([], [MetaWarning(QUALITY, "1555", "Meta has flagged 1555", NOW)], [])}, "number_quality"),
        ({"signs": Signs([], [MetaWarning(ACCOUNT, "77", "Meta says", NOW)], [])}, "account_warned"),
        (
            {"graph_version": "v20.0", "now": NOW.replace(month=7), "workers": [AWAKE], "receipts": receipts()},
            "graph_version_ends",
        ),
        ({"destinations": [replace(FAILING, refusals=12, last_error="HTTP 404")]}, "refusing"),
        ({"destinations": [replace(FAILING, refusals=12, last_error="HTTP 500")]}, "failing"),
        ({"destinations": [replace(CRM, was_open_at=NOW)]}, "failing"),
        ({"signs": Signs([], [], [], TokenLife(NOW, False, reason="190")), "token_name": "TOKEN"}, "token_dead"),
        ({"signs": Signs([], [], [], TokenLife(NOW, True, NOW)), "token_name": "TOKEN"}, "token_dead"),
        ({"signs": Signs([], [], [], TokenLife(NOW, True, IN_A_DAY)), "token_name": "TOKEN"}, "token_expires"),
        ({"destinations": [replace(PAUSED, paused_at=LONG_AGO, oldest_undelivered_at=LONG_AGO)]}, "paused"),
    ],
)
def test_each_condition_has_its_code(condition: dict[str, object], code: str) -> None:
    alerts = alerts_of(replace(HEALTHY, **condition))  # type: ignore[arg-type]

    assert [alert.code for alert in alerts] == [code]


def test_messages_that_a_country_refuses_are_counted_with_the_country() -> None:
    error = {"code": 130497, "message": "Account restricted"}
    failures = [FailureSign("130497:+91", 100, NOW, error, has_more=True), FailureSign("134011", 1, NOW, None)]

    [alert] = alerts_of(replace(HEALTHY, signs=Signs([], [], failures)))

    assert (alert.subject, alert.since) == ("130497:+91", NOW)
    assert alert.cause.startswith("at least 100 messages to customers of +91 failed within a day: 130497: Account")


def test_a_failing_destination_is_named_with_its_cause() -> None:
    failing = replace(CRM, state=DestinationState.FAILING, waiting=1, last_error="timed out")

    [alert] = alerts_of(replace(HEALTHY, destinations=[failing]))

    assert alert.message == (
        "crm is failing (timed out), 1 delivery waiting; look at the destination: `flask wats destinations test crm`"
        " shows what it answers; retries go on by themselves"
    )


@pytest.mark.parametrize("code", ["failing", "refusing"])
@pytest.mark.parametrize("now", [{"last_error": "HTTP 404", "refusals": 12}, {"last_error": "HTTP 500"}])
def test_the_alert_of_a_destination_keeps_its_code_while_it_stands(code: str, now: dict[str, object]) -> None:
    recorded = {(code, "crm"): Alert(code, "crm", "", "")}

    [alert] = alerts_of(replace(HEALTHY, destinations=[replace(FAILING, **now)], recorded=recorded))  # type: ignore[arg-type]

    assert alert.code == code


def test_a_destination_that_has_failed_lately_is_listed_with_the_time() -> None:
    [alert] = alerts_of(replace(HEALTHY, destinations=[replace(CRM, was_open_at=NOW - timedelta(minutes=4))]))

    assert alert.message == (
        "crm failed until 2026-01-02T11:56:00.000Z (HTTP 500) and may do so again, 3 deliveries waiting;"
        " it accepts deliveries again: this is over when it has not failed so for 5 minutes"
    )


@pytest.mark.parametrize(
    ("queue", "what", "cure"),
    [
        (HELD_BACK, "messages of 1 did not reach Meta", REACHED_AGAIN),
        (FILES, "received files were not fetched", kinds.FETCHED_AGAIN),
    ],
)
def test_a_queue_that_was_held_back_lately_is_listed_with_the_time(queue: QueueState, what: str, cure: str) -> None:
    [alert] = alerts_of(replace(HEALTHY, troubled=(replace(queue, **LATELY),)))

    told = f"{what} until 2026-01-02T11:56:00.000Z (connection refused), which may happen again"
    assert (alert.cause, alert.cure) == (told, cure)


def test_a_destinations_queue_in_trouble_is_reported_for_its_destination_only() -> None:
    assert alerts_of(replace(HEALTHY, troubled=(replace(HELD_BACK, name="deliver:crm"),))) == []


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (
            TokenLife(NOW, False, reason="190/463: expired"),
            "Meta refuses the access token of TOKEN (190/463: expired); put a new token into TOKEN, and restart",
        ),
        (TokenLife(LONG_AGO, True, NOW), "the access token of TOKEN expired at 2026-01-02T12:00:00.000Z; put a new"),
        (TokenLife(NOW, True, IN_A_DAY), "the access token of TOKEN expires at 2026-01-03T12:00:00.000Z; put a sys"),
    ],
)
def test_a_token_that_ends_is_reported_with_its_variable_and_the_cure(token: TokenLife, message: str) -> None:
    [alert] = alerts_of(replace(HEALTHY, signs=Signs([], [], [], token), token_name="TOKEN"))

    assert alert.message.startswith(message)


@pytest.mark.parametrize("token", [None, TokenLife(NOW, True), TokenLife(NOW, True, NOW + timedelta(days=8))])
def test_a_token_that_lives_is_no_alert(token: TokenLife | None) -> None:
    assert alerts_of(replace(HEALTHY, signs=Signs([], [], [], token), token_name="TOKEN")) == []


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"paused_at": LONG_AGO},
        {"paused_at": NOW, "oldest_undelivered_at": LONG_AGO},
        {"paused_at": LONG_AGO, "oldest_undelivered_at": NOW},
    ],
)
def test_a_pause_that_holds_up_nothing_for_long_is_no_alert(times: dict[str, datetime]) -> None:
    assert alerts_of(replace(HEALTHY, destinations=[replace(PAUSED, **times)])) == []  # type: ignore[arg-type]


def test_a_pause_of_older_code_is_reported_for_what_it_holds_up() -> None:
    [alert] = alerts_of(replace(HEALTHY, destinations=[replace(PAUSED, oldest_undelivered_at=LONG_AGO)]))

    assert alert.message == (
        "crm is paused, 3 deliveries waiting, the oldest since 2026-01-02T11:45:00.000Z;"
        " run `flask wats destinations resume crm`"
    )


@pytest.mark.parametrize(
    ("check", "result", "cure"),
    [
        ("database", "the database is locked", "`fuser FILE`"),
        ("database", "the database does not answer or reported an error", "`flask wats runbook not_ready`"),
        ("schema", "the schema is at 0001, this code at 0002", "`flask wats db upgrade`"),
        ("disk", "too little is free", "`storage.minFreeMegabytes`"),
    ],
)
def test_a_failed_check_is_reported_with_its_own_cure(check: str, result: str, cure: str) -> None:
    [alert] = alerts_of_checks({check: result})

    assert cure in alert.cure


@pytest.mark.parametrize("refusals", [0, 12])
def test_the_cure_of_a_destination_is_a_command_that_names_it(refusals: int) -> None:
    [alert] = alerts_of(replace(HEALTHY, destinations=[replace(FAILING, refusals=refusals, last_error="HTTP 404")]))

    assert "`flask wats destinations test crm`" in alert.cure


def test_a_destination_that_refuses_everything_is_reported_with_its_answer() -> None:
    [alert] = alerts_of(replace(HEALTHY, destinations=[replace(FAILING, refusals=12, last_error="HTTP 404")]))

    assert alert.cause == "crm answered HTTP 404 to the last 12 events, 3 deliveries waiting"


def test_a_pause_names_the_setting_and_the_variable_that_mend_it() -> None:
    [alert] = alerts_of(replace(HEALTHY, pauses=(PAUSE,), token_name="SHOP_TOKEN"))

    assert alert.message == (
        "nothing is sent in the scope app (190/463: expired); give `auth.accessToken` (SHOP_TOKEN) a valid token, and"
        " restart: this one is expired, revoked or of another app, then run `flask wats sending resume app`,"
        " or wait: one message is tried at 2026-01-02T12:00:00.000Z"
    )


def test_the_metric_has_a_series_for_the_first_subjects_of_an_alert_only() -> None:
    alerts = [kinds.FOREIGN_EVENTS.alert("", f"1/{number}") for number in range(MAX_SUBJECTS + 5)]

    samples = [s for s in attention_gauge(alerts).samples if s.labels["alert"] == kinds.FOREIGN_EVENTS.code]

    assert {s.labels["subject"]: s.value for s in samples} == {
        "": 0,
        **{f"1/{number}": 1 for number in range(MAX_SUBJECTS)},
        "others": 5,
    }


def test_one_live_worker_among_dead_ones_is_enough() -> None:
    assert alerts_of(replace(HEALTHY, workers=[DEAD, ALIVE])) == []


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-93_600, "the clock was set back by about 1 day, 2:00:00"), (3600, "set ahead by about 1:00:00")],
)
def test_a_jump_of_the_clock_is_reported_with_its_size_and_its_cure(seconds: int, told: str) -> None:
    [alert] = alerts_of(replace(HEALTHY, clock_jump=ClockJump(NOW, seconds)))

    assert told in alert.message
    assert "check the time service" in alert.message


def test_a_jump_of_the_day_before_is_no_alert() -> None:
    assert alerts_of(replace(HEALTHY, clock_jump=ClockJump(NOW - timedelta(days=1), 3600))) == []


def test_refused_webhooks_are_reported_with_their_number_the_last_accepted_one_and_the_cure() -> None:
    [alert] = alerts_of(replace(HEALTHY, refused=(REFUSED,)))

    assert alert.message == (
        "3 requests to the webhook's path were refused (signature_mismatch), the last accepted:"
        " 2026-01-02T12:00:00.000Z; set `webhook.appSecret` to the secret of the app that sends, and restart"
    )
    assert (alert.subject, alert.since) == ("signature_mismatch", NOW - timedelta(minutes=5))


@pytest.mark.parametrize(("check", "codes"), [("database", ["not_ready"]), ("disk", ["not_ready", "no_worker"])])
def test_what_follows_from_a_database_that_is_away_is_no_second_alert(check: str, codes: list[str]) -> None:
    alerts = current_alerts({check: "away"}, replace(HEALTHY, workers=[]))

    assert [alert.code for alert in alerts] == codes


def test_a_worker_is_not_missed_while_the_database_is_just_back() -> None:
    assert current_alerts({}, replace(HEALTHY, workers=[DEAD]), store_failed_recently=True) == []


def test_foreign_events_are_reported_with_their_ids_and_the_button_that_sends_such_ones() -> None:
    source = ForeignSource("0", "123456123", 2, NOW, NOW)

    [alert] = alerts_of(replace(HEALTHY, foreign=(source,)))

    assert alert.message.startswith(
        "2 events of the account 0 and the number 123456123, which the config does not list"
        ' (the "Test" button of Meta\'s dashboard sends these ids); add them to `whatsapp.wabaIds`'
    )


def test_a_version_that_has_ended_is_reported_as_ended() -> None:
    later = NOW.replace(year=2027)
    [alert] = alerts_of(
        replace(HEALTHY, now=later, workers=[replace(ALIVE, at=later)], graph_version="v20.0", receipts=receipts())
    )

    assert alert.message == "the Graph API v20.0 has ended on 2026-09-24; raise `graph.apiVersion` and restart"
