"""Spans that nothing exports: they have ids, and do nothing that costs time."""

from collections.abc import Mapping

from app.domain.trace import TraceContext, trace_of_request


class Span:
    """One step of a trace. `is_recorded`: whether it is exported; if not, `end` ignores its facts."""

    __slots__ = ("context",)
    is_recorded = False

    def __init__(self, context: TraceContext) -> None:
        self.context = context

    def end(self, facts: Mapping[str, object], name: str | None = None) -> None:
        """End the step. `facts`: fields as in the log. `name`: its final name, if that was not known before."""


class Tracing:
    """Makes the spans of this process."""

    def request(self, header: str | None) -> Span:
        """Begin a request, in the trace of its `traceparent` or in a new one."""
        return Span(trace_of_request(header))

    def step(self, name: str, parent: TraceContext | None) -> Span:  # noqa: ARG002
        """Begin work inside of this process. Where nothing is exported, it has the ids of its parent."""
        return Span(parent or TraceContext.new())

    def attempt(self, name: str, parent: TraceContext | None) -> Span:  # noqa: ARG002
        """Begin a request to another system."""
        return Span(TraceContext.new() if parent is None else parent.child())

    def close(self) -> None:
        """Export what is left, for as long as the caller waits."""
