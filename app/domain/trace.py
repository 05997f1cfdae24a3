"""A place in a trace, and the header `traceparent` that passes it to the next system.

Source: W3C Trace Context, level 1; the flag `random` is of level 2. Its other header, `tracestate`, is not kept.
"""

import random
import re
from typing import NamedTuple, Self

HEADER = "traceparent"
SAMPLED, RANDOM = 1, 2
"""Flags: the trace is recorded; the trace id is a random one."""

VERSION = "00"
PACKED_BYTES = 25
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class TraceContext(NamedTuple):
    """One span of a trace, in hexadecimal digits. `flags`: those that are known here."""

    trace_id: str
    span_id: str
    flags: int

    @classmethod
    def new(cls) -> Self:
        """Return the first span of a new trace.

        It counts as sampled, because each step of it is in the log. Without that flag most systems behind us
        would not record what they do with it, although they recorded it before they got a trace.
        """
        return cls(f"{random.getrandbits(128) or 1:032x}", _new_span_id(), SAMPLED)

    @classmethod
    def of_id(cls, hex_id: str) -> Self:
        """Return the span that stands for something with an id of 128 bits, whose trace was not stored."""
        return cls(hex_id, hex_id[:16], SAMPLED)

    @classmethod
    def read(cls, header: str) -> Self | None:
        """Return the caller's span in a `traceparent`; None for one that is to be ignored.

        A later version may add parts; those that are known are read.
        """
        match = _FORM.fullmatch(header)
        if match is None:
            return None
        version, trace_id, span_id, flags, more = match.groups()
        if version == "ff" or (version == VERSION and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return None
        return cls(trace_id, span_id, int(flags, 16) & (SAMPLED | RANDOM))

    @classmethod
    def unpack(cls, packed: bytes | None) -> Self | None:
        """Return what `packed` has packed."""
        if packed is None or len(packed) != PACKED_BYTES:
            return None
        return cls(packed[:16].hex(), packed[16:24].hex(), packed[24])

    @property
    def packed(self) -> bytes:
        """The span as 25 bytes: trace id, span id, flags."""
        return bytes.fromhex(f"{self.trace_id}{self.span_id}{self.flags:02x}")

    @property
    def traceparent(self) -> str:
        """The header that passes this span to the next system."""
        return f"{VERSION}-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def child(self) -> Self:
        """Return a new span of the same trace."""
        return self._replace(span_id=_new_span_id())


def trace_of_request(header: str | None) -> TraceContext:
    """Return the span of a request: of its caller's trace if the header has one, else of a new trace."""
    caller = None if header is None else TraceContext.read(header)
    return TraceContext.new() if caller is None else caller.child()


def _new_span_id() -> str:
    return f"{random.getrandbits(64) or 1:016x}"
