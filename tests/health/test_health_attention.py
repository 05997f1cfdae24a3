"""What goes wrong with a gateway stands under `attention`, in the command, in a metric and in one log line."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from subprocess import CompletedProcess
from typing import Any

import pytest

from app.graph.fake.server import FakeMetaServer
from tests.support.destinations import ScriptedDestination
from tests.support.fake_meta import fake_meta
from tests.support.live import LIVE_ENVIRONMENT, PROFILE, write_config
from tests.support.serving import Running, environment, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

HANDSHAKE = f"{PATH}?hub.mode=subscribe&hub.challenge=1&hub.verify_token="
REFUSED = ("webhooks_refused", "missing_signature")
HANDSHAKES = ("webhooks_refused", "verify_token_mismatch")
REFUSING = ("refusing", "crm")
TOKEN = ("token_expires", "TEST_ACCESS_TOKEN")
EVENTS = 30
MORE = """
    graph: {{ baseUrl: "{meta}" }}
    destinations:
      - {{ name: crm, url: "{crm}", secret: {{ env: TEST_CRM_SECRET }} }}
      - {{ name: ops, url: "{ops}", secret: {{ env: TEST_CRM_SECRET }}, types: [none], operatorEvents: true }}
"""

pytestmark = pytest.mark.usefixtures("unmeasured")


@dataclass
class Night:
    """What an operator sees: while webhooks are refused, while the destination refuses every event, and after it."""

    running: Running
    webhooks: list[dict[str, Any]]
    command: CompletedProcess[str]
    metrics: str
    deliveries: list[dict[str, Any]]
    recovered: list[dict[str, Any]]
    calls: int
    events: list[tuple[str, str, str]]
    traceparents: list[str]


@pytest.fixture(scope="module")
def meta() -> Iterator[FakeMetaServer]:
    """A Meta at which the access token ends in three days."""
    with fake_meta() as server:
        end = datetime.now(UTC) + timedelta(days=3)
        server.control.state.put("node", "token", {"expires_at": int(end.timestamp())})
        yield server


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, meta: FakeMetaServer) -> Iterator[Night]:
    """Two web processes refuse webhooks and a handshake; a destination answers 404 to every event; the access token
    ends soon. All is cured."""
    folder, crm, ops = tmp_path_factory.mktemp("gateway"), ScriptedDestination(), ScriptedDestination()
    crm.will_answer(404)
    config = write_config(folder, PROFILE.rstrip() + MORE.format(meta=meta.url, crm=crm.url, ops=ops.url))
    start = {"WATS_CONFIG": str(config), "WATS_MODE": "live", "WATS_YES_LIVE": "1", "TEST_CRM_SECRET": "secret-0c9d"}
    with serving(folder, environ=environment(folder, WEB_CONCURRENCY="2", **start)) as running:
        for _ in range(9):
            assert running.ask("POST", PATH, body_of())[0] == 401
        assert running.ask("GET", HANDSHAKE + "wrong")[0] == 403
        wait_for(lambda: {REFUSED, HANDSHAKES, TOKEN} <= set(told(running, "alert.opened")))
        webhooks = attention(running)
        command = run("status", environ=running.environ)
        metrics = running.ask("GET", "/metrics", headers=bearer())[1].decode()
        assert running.ask("GET", HANDSHAKE + LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"])[0] == 200
        renew_token(running, meta)

        for number in range(EVENTS):
            body = body_of(str(number), wamid=f"wamid.{number}")
            assert running.ask("POST", PATH, body, signed(body))[0] == 200
        wait_for(lambda: REFUSING in told(running, "alert.opened"))
        deliveries, calls = attention(running), len(crm.calls)
        crm.recover()
        wait_for(lambda: state_of_crm(running) == "active")
        recovered = attention(running)
        assert running.ask("POST", "/api/destinations/crm/resume", headers=bearer())[0] == 200
        wait_for(lambda: {HANDSHAKES, REFUSING} <= set(told(running, "alert.closed")))
        wait_for(lambda: ("operator.alert.closed", *REFUSING) in pushed(ops))
        traces = [call.headers["traceparent"] for call in crm.calls]
        yield Night(running, webhooks, command, metrics, deliveries, recovered, calls, pushed(ops), traces)
    crm.close(), ops.close()


def renew_token(running: Running, meta: FakeMetaServer) -> None:
    """Let the token live for ever, and start the worker again, as for a new token."""
    meta.control.state.put("node", "token", {"expires_at": 0})
    [worker] = running.pids_of("wats-worker")
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: TOKEN in told(running, "alert.closed"))


def state_of_crm(running: Running) -> str:
    return str(running.json("/api/destinations/crm", bearer())["state"])


def pushed(ops: ScriptedDestination) -> list[tuple[str, str, str]]:
    """Type, code and subject of the alerts that were pushed."""
    events = {(event := json.loads(call.body))["id"]: event for call in ops.calls}
    return [(one["type"], one["data"]["code"], one["data"]["subject"]) for one in events.values()]


def attention(running: Running) -> list[dict[str, Any]]:
    alerts: list[dict[str, Any]] = running.json("/status", bearer())["attention"]
    return alerts


def lines(running: Running, event: str) -> list[dict[str, Any]]:
    return [line for text in running.err.splitlines() if f'"{event}"' in text and (line := json.loads(text))]


def told(running: Running, event: str) -> list[tuple[str, str]]:
    return [(line["alert"], line["subject"]) for line in lines(running, event)]


def test_refused_webhooks_stand_under_attention(night: Night) -> None:
    alert = next(one for one in night.webhooks if (one["code"], one["subject"]) == REFUSED)

    assert (
        alert["cause"] == "9 requests to the webhook's path were refused (missing_signature), none was ever accepted"
    )
    assert alert["since"] is not None


def test_the_command_ends_with_code_1_and_tells_the_cure(night: Night) -> None:
    assert night.command.returncode == 1
    assert "see that a proxy passes the header X-Hub-Signature-256 on" in night.command.stderr
    assert "enter `webhook.verifyToken` as the verify token in Meta's dashboard" in night.command.stderr


def test_the_metric_counts_over_all_processes(night: Night) -> None:
    assert 'wats_attention{alert="webhooks_refused",subject="missing_signature"} 1.0' in night.metrics
    assert 'wats_webhooks_refused_total{reason="missing_signature"} 9.0' in night.metrics


def test_the_line_of_a_refused_request_has_the_code_of_its_error(night: Night) -> None:
    answered = {(line["status"], line.get("error")) for line in lines(night.running, "http.request")}

    assert {(401, "missing_signature"), (403, "verify_token_mismatch"), (200, None)} <= answered
    assert [line for line in answered if line[0] >= 400 and line[1] is None] == []


def test_a_destination_that_refuses_every_event_is_reported_and_spares_most_of_them_an_attempt(night: Night) -> None:
    alert = next(one for one in night.deliveries if (one["code"], one["subject"]) == REFUSING)

    assert alert["cause"].startswith("crm answered HTTP 404 to the last ")
    assert night.calls < EVENTS


def test_a_destination_that_accepts_events_again_is_listed_until_it_has_not_failed_for_a_while(night: Night) -> None:
    alert = next(one for one in night.recovered if (one["code"], one["subject"]) == REFUSING)

    assert alert["cause"].startswith("crm failed until ")


def test_a_token_that_ends_soon_is_reported_with_its_end_and_a_new_one_ends_that(night: Night) -> None:
    alert = next(one for one in night.webhooks if (one["code"], one["subject"]) == TOKEN)

    assert alert["cause"].startswith("the access token of TEST_ACCESS_TOKEN expires at 20")
    assert LIVE_ENVIRONMENT["TEST_ACCESS_TOKEN"] not in night.running.err
    assert TOKEN in told(night.running, "alert.closed")


def test_the_log_has_one_line_when_an_alert_begins_and_one_when_it_is_cured(night: Night) -> None:
    opened, closed = told(night.running, "alert.opened"), told(night.running, "alert.closed")

    for alert in (HANDSHAKES, REFUSING, TOKEN):
        assert (opened.count(alert), closed.count(alert)) == (1, 1)


def test_a_destination_that_asks_gets_an_event_for_each_change_and_nothing_else(night: Night) -> None:
    for alert in (HANDSHAKES, REFUSING):
        assert night.events.count(("operator.alert.opened", *alert)) == 1
        assert night.events.count(("operator.alert.closed", *alert)) == 1
    assert {type_ for type_, *_ in night.events} == {"operator.alert.opened", "operator.alert.closed"}


def test_every_push_is_in_the_trace_of_its_webhook_and_every_attempt_is_a_span_of_its_own(night: Night) -> None:
    def spans_in_the_log() -> set[str]:
        attempts = lines(night.running, "delivery.attempted")
        return {f"00-{line['traceId']}-{line['spanId']}-01" for line in attempts if line["destination"] == "crm"}

    wait_for(lambda: set(night.traceparents) <= spans_in_the_log())
    requests = {line["traceId"] for line in lines(night.running, "http.request") if line.get("route") == PATH}
    assert {traceparent.split("-")[1] for traceparent in night.traceparents} <= requests
    assert len(set(night.traceparents)) == len(night.traceparents) >= EVENTS


def test_no_line_has_a_phone_number_and_one_customer_has_one_label(night: Night) -> None:
    labels = {line["contact"] for line in lines(night.running, "delivery.attempted") if line["destination"] == "crm"}

    assert len(labels) == 1
    assert "4915112345678" not in night.running.err
