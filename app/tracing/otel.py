"""Spans by OpenTelemetry's SDK, exported by OTLP over HTTP. Its variables `OTEL_…` configure it, as everywhere.

Only a process that exports imports this module: the packages are those of the extra `otel`. The SDK exports from a
thread of its own, which gevent makes a greenlet. So nothing waits for a collector: what it does not take in time is
given up and counted.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import gevent
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_EXPORT_BATCH_SIZE, OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as SpanOfSdk

from app.domain import VERSION
from app.domain.trace import TraceContext
from app.tracing.lost import LostSpans
from app.tracing.spans import Span, Tracing

log = logging.getLogger(__name__)

SERVICE = "wats"
MAX_QUEUED = 2048
MAX_BATCH = 128
"""Encoding this many spans takes 4 ms, in which the process does nothing else. The SDK's own default is 512."""

CLOSE_SECONDS = 1.0
UNREACHED = "the collector was not reached in time, or has refused them; see OTEL_EXPORTER_OTLP_ENDPOINT"
FULL = f"more than {OTEL_BSP_MAX_QUEUE_SIZE} wait: the collector takes them too slowly, or is away"
STOPPED = "the process has stopped before the collector took them"

STANDARD = {"method": "http.request.method", "route": "http.route", "status": "http.response.status_code"}
"""OpenTelemetry's names of facts. The names of the others begin with `wats.`."""

NOT_EXPORTED = {"trace_id", "span_id", "contact", "duration_ms", "error"}
"""Fields of a step in the log that its span leaves out: the span has them otherwise, or they are a customer's."""

FIRST_FAILURE = 400
BAD_SETTING = (ValueError, TypeError, RuntimeError, OSError, ImportError)
"""The exceptions of the SDK for a variable that it cannot use."""

SILENT = logging.CRITICAL + 1

logging.getLogger("opentelemetry.util.re").setLevel(SILENT)  # it logs a header that it cannot read: a key


class RecordedSpan(Span):
    """A step that is exported when it ends."""

    __slots__ = ("_span",)
    is_recorded = True

    def __init__(self, span: SpanOfSdk) -> None:
        super().__init__(_context_of(span))
        self._span = span

    def end(self, facts: Mapping[str, object], name: str | None = None) -> None:
        """End the step, and queue it for the exporter."""
        if name is not None:
            self._span.update_name(name)
        for fact, value in facts.items():
            if isinstance(value, str | int | float) and fact not in NOT_EXPORTED:
                self._span.set_attribute(STANDARD.get(fact) or f"{SERVICE}.{fact}", value)
        if (error := _error_in(facts)) is not None:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class OtelTracing(Tracing):
    """Makes spans that are exported."""

    def __init__(self, lost: LostSpans) -> None:
        self._lost = lost
        self._is_started = False
        self._tracer: Tracer | None = None
        self._queue: _Queue | None = None

    def request(self, header: str | None) -> Span:
        """Begin a request, in the trace of its `traceparent` or in a new one."""
        return self._begin("request", None if header is None else TraceContext.read(header), SpanKind.SERVER)

    def step(self, name: str, parent: TraceContext | None) -> Span:
        """Begin work inside of this process."""
        return self._begin(name, parent, SpanKind.INTERNAL)

    def attempt(self, name: str, parent: TraceContext | None) -> Span:
        """Begin a request to another system."""
        return self._begin(name, parent, SpanKind.CLIENT)

    def close(self) -> None:
        """Export what is left, for a second at most."""
        if self._queue is not None:
            self._queue.close()

    def _begin(self, name: str, parent: TraceContext | None, kind: SpanKind) -> Span:
        if not self._is_started:
            self._start()
        if self._tracer is None:
            return Span(TraceContext.new() if parent is None else parent.child())
        span = self._tracer.start_span(name, Context() if parent is None else _below(parent), kind)
        return RecordedSpan(span) if span.is_recording() else Span(_context_of(span))

    def _start(self) -> None:
        """Start the SDK with the first span: its thread must be one of this process, not of its parent."""
        self._is_started = True
        try:
            self._queue = _Queue(_Exporter(self._lost), self._lost)
            provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        except BAD_SETTING as error:
            reason = f"{error}; look at the variables OTEL_…, and start again"
            log.error("tracing.not_started", extra={"reason": reason})
            return
        finally:
            logging.getLogger("opentelemetry").setLevel(SILENT)  # what it says later may hold an answer's body
        provider.add_span_processor(self._queue)
        self._tracer = provider.get_tracer(SERVICE, VERSION)


class _Exporter(SpanExporter):
    """Exports batches, and counts those that are lost. `done`: of how many the export has ended."""

    def __init__(self, lost: LostSpans) -> None:
        self.taken = self.done = 0
        self._lost = lost
        self._exporter = OTLPSpanExporter()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = self._exporter.export(spans)
        self.done += len(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost.lose(len(spans), UNREACHED)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


class _Queue(BatchSpanProcessor):
    """The SDK's queue of ended spans, with a count of those that it drops because it is full."""

    def __init__(self, exporter: _Exporter, lost: LostSpans) -> None:
        self._max_size = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or MAX_QUEUED)
        batch = int(os.environ.get(OTEL_BSP_MAX_EXPORT_BATCH_SIZE) or min(MAX_BATCH, self._max_size))
        super().__init__(exporter, max_queue_size=self._max_size, max_export_batch_size=batch)
        self._counted = exporter
        self._lost = lost
        self._queued = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span; the oldest one is dropped if there are too many."""
        if self._waiting() >= self._max_size:
            self._lost.lose(1, FULL)
        else:
            self._queued += 1
        super().on_end(span)

    def close(self) -> None:
        """Export what is left, for a second at most."""
        with suppress(gevent.Timeout), gevent.Timeout(CLOSE_SECONDS):
            self.shutdown()  # type: ignore[no-untyped-call]
        if (left := self._queued - self._counted.done) > 0:
            self._lost.lose(left, STOPPED)

    def _waiting(self) -> int:
        return self._queued - self._counted.taken


def _resource() -> Resource:
    """Return what this process is, as the variables say it; by default a service with the name `wats`."""
    found = Resource.create({SERVICE_VERSION: VERSION})
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: SERVICE}))
    return found


def _below(parent: TraceContext) -> Context:
    """Return the SDK's context of a span that was begun elsewhere."""
    flags = TraceFlags(parent.flags)
    above = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(above), Context())


def _context_of(span: SpanOfSdk) -> TraceContext:
    context = span.get_span_context()
    return TraceContext(f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags) & 3)


def _error_in(facts: Mapping[str, object]) -> str | None:
    """Return what went wrong, if anything did. An error answer of ours is a failure from 500 on."""
    error, status = facts.get("error"), facts.get("status")
    if "route" in facts:
        return str(status) if isinstance(status, int) and status >= 500 else None
    if error is None and isinstance(status, int) and status >= FIRST_FAILURE:
        return str(status)
    return None if error is None else str(error)
