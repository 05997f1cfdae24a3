"""One attempt at a delivery to a real destination: what is posted, and its result."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.assembly import build_gateway
from app.config import Flags, Settings, load_settings
from app.delivery.deliver import deliver
from app.domain.delivery import Delivery, DeliveryState
from app.domain.event import Contact, Event, NewEvent, Origin
from app.domain.event_json import event_json
from app.domain.job import Dead, Done, Job, Retry
from app.domain.job_result import Attempt, JobResult, QueueSignal
from app.domain.meta.envelope import meta_envelope
from app.domain.meta.signature import signature_of
from app.domain.retry import PAUSES
from app.gateway import Gateway
from tests.support.destinations import ScriptedDestination
from tests.support.events import new_event
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config
from tests.support.serving import free_port

NOW = datetime.now(UTC)
FIVE_SECONDS = timedelta(seconds=5)
CRM, OLD_CRM = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "old-crm-secret-its-own-bytes"
BOT, OLD_BOT = "bot-secret-5d1e07a6b93f4c28", "old-bot-secret-77aa01"
SECRETS = {"CRM": CRM, "OLD_CRM": OLD_CRM, "BOT": BOT, "OLD_BOT": OLD_BOT, "KEY": "key-0b5c88d1"}
DESTINATIONS = """
    destinations:
      - name: crm
        url: {url}
        secret: {{ env: CRM, previous: {{ env: OLD_CRM }} }}
        headers: {{ X-Team: blue, X-Api-Key: {{ env: KEY }} }}
        maxInFlight: 3
      - {{ name: bot, url: "{url}", format: meta, secret: {{ env: BOT, previous: {{ env: OLD_BOT }} }} }}
"""


@pytest.fixture
def destination() -> Iterator[ScriptedDestination]:
    destination = ScriptedDestination()
    yield destination
    destination.close()


@pytest.fixture
def settings(tmp_path: Path, destination: ScriptedDestination) -> Settings:
    config = write_config(tmp_path, CONFIG + DESTINATIONS.format(url=destination.url))
    environ = {**LIVE_ENVIRONMENT, **SECRETS, "WATS_DATA_DIR": str(tmp_path / "data")}
    return load_settings(Flags(config=config, live=True, yes_live=True), environ)


@pytest.fixture
def gateway(settings: Settings) -> Gateway:
    """The gateway of a process, with a clock that stands and no jitter."""
    return replace(build_gateway(settings), clock=lambda: NOW, jitter=lambda: 0.5)


def stored(new: NewEvent, *, received_at: datetime = NOW) -> Event:
    return Event(**vars(new), sequence=7, received_at=received_at, receipt_id="rcp_1", foreign=False)


def job(attempts: int = 0) -> Job:
    return Job(id=1, queue="deliver:crm", subject=1, attempts=attempts, claim_id=99)


def push(
    gateway: Gateway, to: str = "crm", event: Event | None = None, attempts: int = 0, before: tuple[Attempt, ...] = ()
) -> JobResult:
    event = event or stored(new_event())
    delivery = Delivery("dlv_1", event.id, to, DeliveryState.IN_FLIGHT, before, None)
    return deliver(job(attempts), delivery, event, gateway)


def test_an_event_is_pushed_as_its_json_signed_for_every_active_secret(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    event = stored(new_event("hello"))

    push(replace(gateway, clock=lambda: datetime.now(UTC)), event=event)  # a verifier takes no old timestamp

    [call] = destination.calls
    assert Webhook(CRM).verify(call.body, dict(call.headers)) == event_json(event)
    assert Webhook(OLD_CRM.encode()).verify(call.body, dict(call.headers)) == event_json(event)
    assert call.headers["webhook-id"] == event.id
    assert call.headers["content-type"] == "application/json"
    assert (call.headers["x-team"], call.headers["x-api-key"]) == ("blue", "key-0b5c88d1")


def test_every_push_of_an_event_has_the_same_id_and_bytes(gateway: Gateway, destination: ScriptedDestination) -> None:
    event = stored(new_event("hello"))

    for attempts in range(3):
        push(replace(gateway, clock=lambda minutes=attempts: NOW + timedelta(minutes=minutes)), event=event)

    assert len({(call.body, call.headers["webhook-id"]) for call in destination.calls}) == 1
    assert len({call.headers["webhook-timestamp"] for call in destination.calls}) == 3


def test_in_metas_format_an_event_is_metas_envelope_signed_as_meta_signs(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    event = stored(new_event("hello"))

    push(gateway, to="bot", event=event)

    [call] = destination.calls
    assert json.loads(call.body) == meta_envelope(event)
    assert call.headers["x-hub-signature-256"] == signature_of(call.body, BOT)
    assert not [name for name in call.headers if name.startswith("webhook-")]


@pytest.mark.parametrize(
    ("public_url", "url"),
    [("https://wats.example.com", {"url": "https://wats.example.com/api/media/17/content"}), (None, {})],
)
def test_in_metas_format_media_have_our_address_or_none(
    gateway: Gateway, destination: ScriptedDestination, public_url: str | None, url: dict[str, str]
) -> None:
    image = {"id": "17", "mime_type": "image/jpeg"}
    origin = Origin("whatsapp_business_account", {"id": "1"}, "messages", {}, [], "value.messages[]")
    raw = {"id": "wamid.1", "type": "image", "image": {**image, "url": "https://lookaside.fbsbx.com/?mid=17"}}
    event = stored(replace(new_event(raw=raw), origin=origin))
    service = replace(gateway.settings.service, public_url=public_url)

    for to in ("bot", "crm"):
        push(replace(gateway, settings=replace(gateway.settings, service=service)), to=to, event=event)

    to_bot, to_crm = (json.loads(call.body) for call in destination.calls)
    assert to_bot["entry"][0]["changes"][0]["value"]["messages"][0]["image"] == {**image, **url}
    assert to_crm["raw"] == raw


@pytest.mark.parametrize("to", ["crm", "bot"])
def test_text_that_is_no_utf_8_survives(gateway: Gateway, destination: ScriptedDestination, to: str) -> None:
    odd: Any = {"id": "wamid.1", "text": {"body": "half \ud83d, none \x00, big 123"}, "n": 12345678901234567890}
    origin = Origin("whatsapp_business_account", {"id": "1"}, "messages", {}, [], "value.messages[]")
    event = stored(replace(new_event(raw=odd), data={"text": "\udc00"}, contact=Contact(), origin=origin))

    push(gateway, to=to, event=event)

    [call] = destination.calls
    said = json.loads(call.body)
    raw = said["raw"] if to == "crm" else said["entry"][0]["changes"][0]["value"]["messages"][0]
    assert raw == odd
    assert call.body.isascii()


def test_a_2xx_marks_the_delivery_as_done(gateway: Gateway, destination: ScriptedDestination) -> None:
    destination.will_answer(202)

    settlement = push(gateway)

    assert (settlement.job, settlement.outcome) == (job(), Done())
    assert (settlement.signal, settlement.max_in_flight) == (QueueSignal.SUCCESS, 3)
    assert settlement.attempt == Attempt(NOW, 202, None, settlement.attempt.duration_ms)


def test_a_failure_is_retried_on_the_schedule_and_then_dead(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    destination.will_answer(500)

    outcomes = [push(gateway, attempts=attempts).outcome for attempts in range(len(PAUSES) + 1)]

    assert outcomes[:-1] == [Retry(pause) for pause in PAUSES]
    assert outcomes[-1] == Dead("HTTP 500 after 15 attempts")


def test_the_beginning_of_a_failed_answer_is_kept_without_what_is_secret(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    destination.will_answer(500, b"bad key key-0b5c88d1 for " + CRM.encode() + b"x" * 2000)
    destination.will_answer(200, b"fine")

    failed, delivered = push(gateway).attempt, push(gateway).attempt

    assert failed is not None
    assert delivered is not None
    assert failed.answer is not None
    assert failed.answer.startswith("bad key [secret] for [secret]xxx")
    assert (len(failed.answer) < 1024, delivered.answer) == (True, None)


@pytest.mark.parametrize(
    ("status", "signal"),
    [
        (302, QueueSignal.FAILURE),
        (404, QueueSignal.REFUSAL),
        (408, QueueSignal.FAILURE),
        (410, QueueSignal.GONE),
        (503, QueueSignal.FAILURE),
    ],
)
def test_a_status_is_about_the_destination_or_about_the_event(
    gateway: Gateway, destination: ScriptedDestination, status: int, signal: QueueSignal
) -> None:
    destination.will_answer(status)

    settlement = push(gateway)

    assert (settlement.outcome, settlement.signal) == (Retry(FIVE_SECONDS), signal)
    assert settlement.attempt.status == status


def test_a_retry_waits_as_long_as_the_destination_asks_for(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    destination.will_answer(429, Retry_After="90")

    settlement = push(gateway)

    assert (settlement.outcome, settlement.retry_after) == (Retry(timedelta(seconds=90)), timedelta(seconds=90))


def test_an_attempt_at_a_closed_port_has_an_error(
    gateway: Gateway,
) -> None:
    [crm, *_] = gateway.settings.destinations
    nowhere = replace(crm, url=f"http://127.0.0.1:{free_port()}/")

    settlement = push(replace(gateway, settings=replace(gateway.settings, destinations=(nowhere,))))

    assert (settlement.outcome, settlement.signal) == (Retry(FIVE_SECONDS), QueueSignal.FAILURE)
    assert (settlement.attempt.status, settlement.attempt.error) == (None, "connection refused")


def test_nothing_is_pushed_to_a_destination_that_left_the_config(
    gateway: Gateway, destination: ScriptedDestination
) -> None:
    settlement = push(gateway, to="gone")

    assert isinstance(settlement.outcome, Retry)
    assert (settlement.attempt, settlement.signal) == (None, QueueSignal.NONE)
    assert destination.calls == []


@pytest.mark.parametrize(
    ("status", "attempts", "told"),
    [
        (200, 0, ("INFO", "delivered", None)),
        (500, 1, ("WARNING", "retry", 30)),
        (500, 14, ("ERROR", "dead", None)),
    ],
)
def test_an_attempt_is_logged_in_one_wide_line(
    gateway: Gateway,
    destination: ScriptedDestination,
    caplog: pytest.LogCaptureFixture,
    status: int,
    attempts: int,
    told: tuple[str, str, int | None],
) -> None:
    caplog.set_level(logging.INFO)
    destination.will_answer(status)

    push(gateway, attempts=attempts)

    [line] = caplog.records
    assert line.message == "delivery.attempted"
    assert (line.levelname, line.outcome, line.seconds) == told
    assert (line.delivery_id, line.event_id, line.destination) == ("dlv_1", new_event().id, "crm")
    assert (line.attempt, line.status, line.error) == (attempts + 1, status, None)
    assert isinstance(line.duration_ms, int)


def test_attempts_and_the_lag_of_deliveries_are_counted(gateway: Gateway, destination: ScriptedDestination) -> None:
    destination.will_answer(500)
    destination.will_answer(200)
    event = stored(new_event(), received_at=NOW - timedelta(seconds=20))

    for _ in range(3):
        push(gateway, event=event)

    told = gateway.metrics.exposition([]).decode()
    assert 'wats_delivery_attempts_total{destination="crm",outcome="retry"} 1.0' in told
    assert 'wats_delivery_attempts_total{destination="crm",outcome="delivered"} 2.0' in told
    assert 'wats_delivery_lag_seconds_sum{destination="crm"} 40.0' in told


def test_a_replay_of_a_delivered_event_counts_no_lag(gateway: Gateway, destination: ScriptedDestination) -> None:
    event = stored(new_event(), received_at=NOW - timedelta(days=20))

    push(gateway, event=event, before=(Attempt(NOW - timedelta(days=19), 200, None, 3),))

    told = gateway.metrics.exposition([]).decode()
    assert 'wats_delivery_attempts_total{destination="crm",outcome="delivered"} 1.0' in told
    assert "wats_delivery_lag_seconds_sum" not in told
