"""The header `traceparent`, as W3C Trace Context has it."""

import pytest

from app.domain.trace import TraceContext, trace_of_request

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-03", 3),
        (f"00-{TRACE}-{SPAN}-fd", 1),
        (f"01-{TRACE}-{SPAN}-01", 1),
        (f"fe-{TRACE}-{SPAN}-01-what.the-future-brings", 1),
    ],
)
def test_a_request_joins_the_trace_of_its_caller(header: str, flags: int) -> None:
    trace = trace_of_request(header)

    assert (trace.trace_id, trace.flags) == (TRACE, flags)
    assert trace.span_id not in (SPAN, "0" * 16)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN.upper()}-01",
        f"00-{TRACE}-{SPAN}-0",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-0\u0661",
    ],
)
def test_a_header_that_is_not_as_it_must_be_is_ignored(header: str) -> None:
    trace = trace_of_request(header)

    assert trace.trace_id != TRACE
    assert TraceContext.read(trace.traceparent) == trace


def test_a_new_trace_counts_as_recorded_and_no_two_are_the_same() -> None:
    traces = [trace_of_request(None) for _ in range(100)]

    assert {trace.flags for trace in traces} == {1}
    assert len({trace.trace_id for trace in traces} | {trace.span_id for trace in traces}) == 200


def test_a_child_is_another_span_of_the_same_trace() -> None:
    parent = trace_of_request(f"00-{TRACE}-{SPAN}-00")

    child = parent.child()

    assert (child.trace_id, child.flags) == (parent.trace_id, parent.flags)
    assert child.span_id != parent.span_id


def test_what_is_packed_is_unpacked_and_what_is_not_is_none() -> None:
    trace = trace_of_request(f"00-{TRACE}-{SPAN}-01")

    assert len(trace.packed) == 25
    assert TraceContext.unpack(trace.packed) == trace
    assert TraceContext.unpack(None) is None
    assert TraceContext.unpack(trace.packed[1:]) is None


def test_what_has_an_id_and_no_trace_is_in_the_trace_of_its_id() -> None:
    assert TraceContext.of_id(TRACE).traceparent == f"00-{TRACE}-{TRACE[:16]}-01"
