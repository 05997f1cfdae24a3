"""One trace from a request to a destination, in the log and at a collector of OpenTelemetry."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.collector import Collector, attributes_of, collecting
from tests.support.live import CONFIG, write_config
from tests.support.receiver import Receiver, receiving
from tests.support.serving import Running, environment, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, body_of, signed

APP_SECRET, TOKEN = "dry-run-app-secret", {"Authorization": "Bearer dry-run-service-token"}
JSON = {"Content-Type": "application/json"}
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, CALLERS_SPAN = CALLER.split("-")[1:3]
CUSTOMER, RECIPIENT = "4915112345678", "4915198765432"
DESTINATION = '    destinations: [{{ name: crm, url: "{url}", secret: {{ env: CRM }} }}]\n'
WITHOUT_OTEL = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "opentelemetry":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
"""


@dataclass
class Traced:
    """A gateway that exports its spans, with the collector and the destination that it has."""

    running: Running
    collector: Collector
    crm: Receiver

    def post_webhook(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        return self.running.ask("POST", PATH, body, {**signed(body, APP_SECRET), **headers})

    def lines(self, event: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.running.err.splitlines() if f'"event":"{event}"' in line]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A webhook with a `traceparent` has gone through to the destination, and a message to the fake Meta."""
    folder = tmp_path_factory.mktemp("tracing")
    with ExitStack() as stack:
        collector, crm = stack.enter_context(collecting()), stack.enter_context(receiving())
        config = write_config(folder, CONFIG + DESTINATION.format(url=f"http://127.0.0.1:{crm.server_port}/in"))
        environ = environment(
            folder,
            OTEL_TRACES_EXPORTER="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
            OTEL_BSP_SCHEDULE_DELAY="50",
        )
        running = stack.enter_context(serving(folder, "--config", str(config), "--dry-run", environ=environ))
        gateway = Traced(running, collector, crm)
        assert gateway.post_webhook(body_of(), traceparent=CALLER)[0] == 200
        message = {"to": f"+{RECIPIENT}", "type": "text", "text": {"body": "hi"}}
        sent = running.ask("POST", "/api/messages", json.dumps(message).encode(), {**TOKEN, **JSON})
        assert sent[0] == 202
        wait_for(lambda: {"deliver crm", "split"} <= collector.of_trace(TRACE).keys())
        wait_for(lambda: any(span.name == "send" for span in collector.spans))
        wait_for(lambda: any("messageId" in line for line in gateway.lines("delivery.attempted")))
        yield gateway


def test_a_webhook_has_one_trace_from_its_caller_to_its_destination(traced: Traced) -> None:
    spans = traced.collector.of_trace(TRACE)

    request, split, delivery = spans[f"POST {PATH}"], spans["split"], spans["deliver crm"]
    assert request.parent_span_id.hex() == CALLERS_SPAN
    assert (split.parent_span_id, delivery.parent_span_id) == (request.span_id, split.span_id)
    assert (request.kind, split.kind, delivery.kind) == (2, 1, 3)
    assert attributes_of(request)["http.response.status_code"] == 200
    assert attributes_of(delivery)["wats.destination"] == "crm"
    assert traced.collector.services == {"wats"}
    pushes = [headers for _, headers, body in traced.crm.received if b'"message.text"' in body]
    assert [headers["traceparent"] for headers in pushes] == [f"00-{TRACE}-{delivery.span_id.hex()}-01"]


def test_a_message_has_one_trace_from_its_request_to_its_attempt(traced: Traced) -> None:
    [line] = traced.lines("message.attempted")

    spans = traced.collector.of_trace(line["traceId"])
    request, send = spans["POST /api/messages"], spans["send"]
    assert (request.parent_span_id, send.parent_span_id) == (b"", request.span_id)
    assert {attributes_of(span)["wats.message_id"] for span in spans.values()} == {line["messageId"]}
    [asked] = [line for line in traced.lines("http.request") if line["route"] == "/api/messages"]
    assert (asked["messageId"], asked["traceId"]) == (line["messageId"], line["traceId"])
    statuses = [one for one in traced.lines("delivery.attempted") if one.get("messageId") == line["messageId"]]
    assert statuses


def test_the_lines_of_a_trace_name_what_they_are_about(traced: Traced) -> None:
    delivery = traced.collector.of_trace(TRACE)["deliver crm"]

    [attempt] = [line for line in traced.lines("delivery.attempted") if line["traceId"] == TRACE]
    [request] = [line for line in traced.lines("http.request") if line["traceId"] == TRACE]
    assert request["route"] == PATH
    assert attempt["spanId"] == delivery.span_id.hex()
    assert {"receiptId", "eventId", "deliveryId", "destination", "contact"} <= attempt.keys()
    assert attempt["receiptId"] == attributes_of(traced.collector.of_trace(TRACE)["split"])["wats.receipt_id"]


def test_no_line_and_no_span_has_a_phone_number_and_a_contact_has_one_hash(traced: Traced) -> None:
    contacts = {line["contact"] for line in traced.lines("message.attempted")}

    config = str(traced.running.folder / "wats.config.yaml")
    told = run("contacts", "label", f"+{RECIPIENT}", "--config", config, environ=traced.running.environ)
    of_statuses = {line["contact"] for line in traced.lines("delivery.attempted") if "messageId" in line}
    assert of_statuses == contacts == {told.stdout.strip()}
    assert re.fullmatch("[0-9a-f]{16}", told.stdout.strip())
    assert not re.search(f"{CUSTOMER}|{RECIPIENT}", f"{traced.running.err}{traced.collector.spans}")


def test_a_collector_that_hangs_delays_nothing_and_lost_spans_are_counted(traced: Traced) -> None:
    traced.collector.answers.clear()
    before = len(traced.crm.received)

    body = body_of("while it hangs", wamid="wamid.hangs")
    status = traced.post_webhook(body)[0]
    wait_for(lambda: any(b"while it hangs" in body for _, _, body in traced.crm.received[before:]))

    assert status == 200
    wait_for(lambda: traced.lines("tracing.spans_lost") != [])
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in traced.lines("tracing.spans_lost")[0]["reason"]
    wait_for(
        lambda: re.search(rb"wats_spans_lost_total [1-9]", traced.running.ask("GET", "/metrics", headers=TOKEN)[1])
    )
    assert traced.running.stop() == 0
    assert "opentelemetry" not in traced.running.err


def test_without_its_packages_the_start_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_OTEL)
    environ = environment(tmp_path, PYTHONPATH=str(tmp_path), OTEL_TRACES_EXPORTER="otlp")

    ended = run("serve", "--config", str(write_config(tmp_path)), "--dry-run", environ=environ)

    assert (ended.returncode, ended.stdout) == (78, "")
    assert "OTEL_TRACES_EXPORTER" in ended.stderr
    assert "requirements-otel.txt" in ended.stderr
