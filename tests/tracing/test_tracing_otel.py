"""Spans of OpenTelemetry in one process: what the standard variables say, and what is lost."""

import logging
from collections.abc import Iterator

import pytest

from app.domain.trace import TraceContext
from app.tracing.lost import LostSpans
from app.tracing.otel import OtelTracing
from tests.support.collector import Collector, attributes_of, collecting
from tests.support.serving import free_port

PARENT = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
        yield collector


@pytest.fixture
def lost() -> list[int]:
    """How many spans were lost, each time."""
    return []


@pytest.fixture
def tracing(lost: list[int]) -> OtelTracing:
    return OtelTracing(LostSpans(lost.append))


def test_a_stop_exports_what_has_ended_under_the_names_that_the_field_has(
    tracing: OtelTracing, collector: Collector, lost: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "our-gateway")
    attempt = tracing.attempt("deliver crm", PARENT)

    attempt.end({"status": 503, "outcome": "retry", "event_id": "evt_1", "contact": "4915112345678", "error": None})
    tracing.close()

    [span] = collector.spans
    assert (span.trace_id.hex(), span.span_id.hex()) == (attempt.context.trace_id, attempt.context.span_id)
    assert (span.parent_span_id.hex(), span.status.code) == (PARENT.span_id, 2)
    told = {"http.response.status_code": 503, "wats.outcome": "retry", "wats.event_id": "evt_1", "error.type": "503"}
    assert attributes_of(span) == told
    assert (collector.services, lost) == ({"our-gateway"}, [])


@pytest.mark.parametrize(
    ("facts", "is_failure"),
    [
        ({"route": "/api/messages", "status": 422}, False),
        ({"route": "/api/messages", "status": 503}, True),
        ({"outcome": "accepted", "error": None}, False),
        ({"outcome": "queued", "error": "131056"}, True),
        ({"receipt_id": "rcp_1"}, False),
    ],
)
def test_an_answer_of_ours_is_a_failure_from_500_on_and_an_attempt_if_it_failed(
    facts: dict[str, object], is_failure: bool, tracing: OtelTracing, collector: Collector
) -> None:
    tracing.step("split", PARENT).end(facts)
    tracing.close()

    [span] = collector.spans
    assert (span.status.code == 2, "error.type" in attributes_of(span)) == (is_failure, is_failure)


def test_what_a_collector_that_is_away_does_not_take_is_counted_and_logged_once(
    tracing: OtelTracing, lost: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")

    for _ in range(20):
        tracing.step("split", PARENT).end({})
    tracing.close()

    assert sum(lost) == 20
    assert [line.message for line in caplog.records] == ["tracing.spans_lost"]


def test_a_variable_that_the_sdk_cannot_use_is_reported_and_the_trace_goes_on(
    tracing: OtelTracing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9999")

    first, second = tracing.attempt("send", PARENT), tracing.request(None)
    tracing.close()

    assert (first.context.trace_id, first.is_recorded, second.is_recorded) == (PARENT.trace_id, False, False)
    assert first.context.span_id != PARENT.span_id
    [line] = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert line.message == "tracing.not_started"
    assert "max_export_batch_size must be less" in vars(line)["reason"]


def test_what_the_sampler_leaves_out_keeps_its_trace_and_says_so(
    tracing: OtelTracing, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")

    spans = [tracing.request(f"00-{PARENT.trace_id}-{PARENT.span_id}-01"), tracing.request("none of all")]
    for span in spans:
        span.end({})
    tracing.close()

    assert [(span.is_recorded, span.context.flags & 1) for span in spans] == [(False, 0), (False, 0)]
    assert spans[0].context.trace_id == PARENT.trace_id
    assert collector.spans == []


def test_a_key_for_the_collector_that_is_written_wrongly_stays_out_of_the_log(
    tracing: OtelTracing, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key sk-5d1e07a6b93f4c28")

    tracing.step("split", PARENT).end({})
    tracing.close()

    assert len(collector.spans) == 1
    assert "sk-5d1e07a6b93f4c28" not in caplog.text
