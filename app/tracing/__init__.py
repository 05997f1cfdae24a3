"""The spans of a trace: of each request, of each receipt that is split, of each attempt at a delivery or a message.

Without OpenTelemetry a span is its ids only, for the log and for the header `traceparent`.
"""

from app.tracing.spans import Span, Tracing

__all__ = ["Span", "Tracing"]
