"""The watch writes a line when an alert begins, and one when it is over; a web process keeps what it has refused."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.config import Destination, Secret
from app.domain.heartbeat import Heartbeat
from app.domain.job import WATCH_EVERY, WATCH_QUEUE, Job, Retry
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.send_answer import Ambiguous
from app.domain.split import SplitEvent
from app.gateway import Gateway
from app.health.watch import Watch
from app.health.web_watch import LOOKS_WITHOUT_WORKER, WebWatch
from app.store import StoreRefused
from app.store.tables.message_schema import messages
from app.store.tables.schema import events, jobs
from app.webhook.refusals import EXTENSION, Refusals
from tests.support.events import new_event
from tests.support.live import LIVE_ENVIRONMENT
from tests.support.messages import NUMBER, accept, new_message
from tests.support.sends import QUEUE, WABA, queued, refused, send
from tests.support.webhooks import PATH, bearer, body_of, signed
from tests.support.work import add_events

JOB = Job(1, WATCH_QUEUE, 0, 0, 1)
HANDSHAKE = f"{PATH}?hub.mode=subscribe&hub.challenge=1&hub.verify_token="


@pytest.fixture
def refusals(app: Flask) -> Refusals:
    return app.extensions[EXTENSION]


@pytest.fixture(autouse=True)
def worker(gateway: Gateway) -> None:
    beat(gateway)


def beat(gateway: Gateway) -> None:
    now = gateway.clock()
    gateway.store.heartbeats.beat(Heartbeat("host:1", "worker", "1", now, now))


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, int]]:
    return [
        (record.message, record.__dict__["alert"], record.levelno)
        for record in caplog.records
        if record.message.startswith("alert.")
    ]


def test_an_alert_is_one_line_when_it_begins_and_one_when_it_is_over(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watch = Watch(gateway)
    gateway.store.consumers.ack("crm", 7)
    for _ in range(2):
        assert watch.handle(JOB) == Retry(WATCH_EVERY)
    gateway.store.consumers.delete("crm")
    for _ in range(2):
        watch.handle(JOB)

    assert lines(caplog) == [
        ("alert.opened", "consumer_ahead", logging.WARNING),
        ("alert.closed", "consumer_ahead", logging.INFO),
    ]


def test_an_alert_that_stands_is_recorded_with_the_cause_that_it_has_now(gateway: Gateway) -> None:
    watch, now = Watch(gateway), gateway.clock()
    for count in (1, 2):
        gateway.store.attention.add_refused([RefusedWebhooks("missing_signature", count, now, now)])
        watch.look()

    [recorded] = gateway.store.attention.recorded().values()

    assert recorded.cause.startswith("3 requests to the webhook's path were refused")


REFUSE = "CREATE TRIGGER refuse BEFORE {what} BEGIN SELECT RAISE(ABORT, 'refused'); END"


def test_an_alert_that_the_database_refuses_keeps_no_other_from_being_logged(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refuse(gateway, "INSERT ON alerts WHEN NEW.subject = 'bad'")
    watch = Watch(gateway)
    for name in ("bad", "crm"):
        gateway.store.consumers.ack(name, 7)
    watch.look()
    gateway.store.consumers.delete("crm")
    watch.look()

    told = [(record.message, record.__dict__.get("subject")) for record in caplog.records]
    assert told == [("alert.not_recorded", "bad"), ("alert.opened", "crm"), ("alert.closed", "crm")]


def test_an_alert_whose_event_is_refused_is_logged_without_it(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    secret = Secret("TEST_OPS_SECRET", "secret-77ac")
    ops = Destination(
        "ops", "https://ops.example.com/", secret, "events", (), (), (), "none", 5, 4, operator_events=True
    )
    settings = replace(gateway.settings, destinations=(ops,))
    refuse(gateway, "INSERT ON events")
    gateway.store.consumers.ack("crm", 7)

    Watch(replace(gateway, settings=settings)).look()

    assert lines(caplog) == [("alert.opened", "consumer_ahead", logging.WARNING)]


def test_a_web_process_hides_no_refusal_of_the_database(gateway: Gateway) -> None:
    watch = WebWatch(gateway, lambda: None)
    gateway.store.heartbeats.delete("host:1")
    refuse(gateway, "DELETE ON refused_webhooks")
    yesterday = gateway.clock() - timedelta(days=2)
    gateway.store.attention.add_refused([RefusedWebhooks("missing_signature", 1, yesterday, yesterday)])

    watch.look()
    with pytest.raises(StoreRefused):
        watch.look()


def refuse(gateway: Gateway, what: str) -> None:
    gateway.store.write(lambda c: c.exec_driver_sql(REFUSE.format(what=what)))


def test_the_status_tells_since_when_an_alert_stands(client: FlaskClient, gateway: Gateway) -> None:
    gateway.store.consumers.ack("crm", 7)
    before = client.get("/status", headers=bearer()).get_json()["attention"]
    Watch(gateway).look()

    [alert] = client.get("/status", headers=bearer()).get_json()["attention"]

    assert (before[0]["since"], alert["subject"]) == (None, "crm")
    assert alert["since"] is not None
    assert alert["message"] == f"{alert['cause']}; {alert['cure']}"


def test_what_is_refused_is_reported_by_reason(client: FlaskClient, refusals: Refusals) -> None:
    client.post(PATH, data=body_of())
    client.post(PATH, data=body_of(), headers=signed(body_of(), "wrong"))
    client.get(HANDSHAKE + "wrong")
    refusals.write()

    status = client.get("/status", headers=bearer()).get_json()
    metrics = client.get("/metrics", headers=bearer()).text

    assert {alert["subject"] for alert in status["attention"]} == {
        "missing_signature",
        "signature_mismatch",
        "verify_token_mismatch",
    }
    assert metrics.count('wats_attention{alert="webhooks_refused",subject="') == 4
    assert 'wats_attention{alert="webhooks_refused",subject="signature_mismatch"} 1.0' in metrics
    assert 'wats_webhooks_refused_total{reason="missing_signature"} 1.0' in metrics


def test_a_handshake_that_succeeds_ends_the_alert_about_handshakes(client: FlaskClient, refusals: Refusals) -> None:
    client.get(HANDSHAKE + "wrong")
    refusals.write()
    client.get(HANDSHAKE + LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"])
    refusals.write()

    assert client.get("/status", headers=bearer()).get_json()["attention"] == []


def test_refusals_are_kept_until_the_store_answers_again(
    client: FlaskClient, gateway: Gateway, refusals: Refusals
) -> None:
    client.post(PATH, data=body_of())
    client.get(HANDSHAKE + LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"])
    gateway.store.close()
    refusals.write()
    client.post(PATH, data=body_of())
    refusals.write()
    gateway.store.open()

    refusals.write()

    [refused] = gateway.store.attention.refused()
    assert (refused.reason, refused.count) == ("missing_signature", 2)


def test_what_is_over_is_forgotten(gateway: Gateway, refusals: Refusals) -> None:
    refusals.refuse("missing_signature")
    refusals.write()
    [refused] = gateway.store.attention.refused()
    longer_ago = {"since": refused.since - timedelta(days=2), "last_at": refused.last_at - timedelta(days=2)}
    gateway.store.attention.forget_refused([refused])
    gateway.store.attention.add_refused([type(refused)(refused.reason, 1, **longer_ago)])

    Watch(gateway).look()

    assert gateway.store.attention.refused() == []


def test_the_job_wakes_held_messages_that_nothing_else_has_woken(gateway: Gateway) -> None:
    queued(gateway.store)
    later = gateway.clock() + timedelta(hours=1)
    gateway.store.write(
        lambda c: c.execute(update(jobs).where(jobs.c.queue == QUEUE).values(held_by="x", due_at=later))
    )

    Watch(gateway).handle(JOB)

    assert (gateway.store.jobs.next_due_in(QUEUE) or 0) <= 0


def test_a_web_process_tells_that_no_worker_is_alive(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    watch = WebWatch(gateway, lambda: None)
    watch.look()
    gateway.store.heartbeats.delete("host:1")

    for _ in range(LOOKS_WITHOUT_WORKER + 1):
        watch.look()

    assert lines(caplog) == [("alert.opened", "no_worker", logging.ERROR)]


def test_a_web_process_tells_of_a_store_that_is_away_and_of_nothing_else(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    watch = WebWatch(gateway, lambda: None)
    gateway.store.close()

    for _ in range(LOOKS_WITHOUT_WORKER + 1):
        watch.look()

    assert {record.message for record in caplog.records} == {"store.unavailable"}


def test_a_failure_that_older_code_records_beside_this_code_raises_its_alert(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    queued(gateway.store)
    send(gateway.store, refused(131215))
    gateway.store.write(lambda c: c.execute(update(messages).values(alert=None)))
    watch = Watch(gateway)

    for _ in range(2):
        watch.handle(JOB)

    assert lines(caplog) == [("alert.opened", "messages_refused", logging.WARNING)]


def test_signs_of_trouble_are_read_out_of_events_and_messages(client: FlaskClient, gateway: Gateway) -> None:
    store = gateway.store
    flagged = {"display_phone_number": "15550001111", "event": "FLAGGED"}
    quality = replace(new_event("q", kind="phone_number.quality"), raw=flagged, occurred_at=gateway.clock())
    foreign = replace(new_event("f"), waba_id="7", phone_number_id="8")
    add_events(store, SplitEvent(quality), SplitEvent(foreign, foreign=True))
    accept(store, new_message(to="+4915112345678", number=NUMBER))
    send(store, refused(130497))
    store.write(lambda c: c.execute(update(events).values(received_at=gateway.clock())))

    alerts = client.get("/status", headers=bearer()).get_json()["attention"]

    assert {(alert["code"], alert["subject"]) for alert in alerts} >= {
        ("number_quality", "15550001111"),
        ("foreign_events", "7/8"),
        ("messages_refused", "130497:+49"),
    }


@pytest.mark.parametrize(
    ("code", "scope"),
    [(131031, f"waba:{WABA}"), (131042, f"waba:{WABA}"), (131048, f"number:{NUMBER}"), (190, "app")],
    ids=["account stopped", "payment method missing", "number cooled", "token refused"],
)
def test_what_stops_sending_is_reported_by_its_scope(
    client: FlaskClient, gateway: Gateway, code: int, scope: str
) -> None:
    queued(gateway.store)
    send(gateway.store, refused(code))

    alerts = client.get("/status", headers=bearer()).get_json()["attention"]

    causes = {(alert["code"], alert["subject"]): alert["cause"] for alert in alerts}
    assert str(code) in causes["sending_paused", scope]


def test_a_lost_answer_and_a_version_that_has_ended_are_reported(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    queued(gateway.store)
    send(gateway.store, Ambiguous("no answer in time"))
    an_hour_ago = gateway.clock() - timedelta(hours=1)
    gateway.store.write(lambda c: c.execute(update(messages).values(created_at=an_hour_ago, updated_at=an_hour_ago)))
    ended = replace(gateway.settings, graph=replace(gateway.settings.graph, api_version="v20.0"))

    Watch(replace(gateway, settings=ended)).look()

    assert lines(caplog) == [
        ("alert.opened", "graph_version_ends", logging.WARNING),
        ("alert.opened", "unknown_messages", logging.WARNING),
    ]


def test_a_web_process_tells_of_a_schema_that_does_not_fit(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.store.write(lambda c: c.exec_driver_sql("UPDATE schema_version SET version_num = '0000'"))
    watch = WebWatch(gateway, lambda: None)

    for _ in range(LOOKS_WITHOUT_WORKER + 1):
        watch.look()

    [line] = caplog.records
    assert line.message == "store.unavailable"
    assert "the schema is at 0000" in line.__dict__["reason"]
