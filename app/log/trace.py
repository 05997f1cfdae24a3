"""The trace of an exception, as the log prints it: its frames and types, and no text that may hold data.

A library puts what it was given into its messages, such as `KeyError: '4917…'`. The messages of our own exceptions
hold none. Python's source lines, which a frame shows, are code.
"""

import errno
import os
import traceback
from types import TracebackType

OURS = "app."

CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
"""As Python prints them."""


def trace_of(error: BaseException, frames: TracebackType | None = None, seen: set[int] | None = None) -> str:
    """Return the trace of an exception and of those that led to it, the first one first.

    `seen` has the ids of those that are shown elsewhere: one may be a part of the group that it was raised from.
    """
    seen = {id(error)} if seen is None else seen | {id(error)}
    parts = [_trace_of_one(error, frames or error.__traceback__, seen)]
    while (earlier := _earlier(error)) is not None and id(earlier) not in seen:
        seen.add(id(earlier))
        parts += [CONTEXT if error.__cause__ is None else CAUSE, _trace_of_one(earlier, earlier.__traceback__, seen)]
        error = earlier
    return "".join(reversed(parts))


def _earlier(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _trace_of_one(error: BaseException, frames: TracebackType | None, seen: set[int]) -> str:
    shown = ["Traceback (most recent call last):\n", *traceback.format_tb(frames)] if frames else []
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    of_group = [trace_of(part, seen=seen) for part in parts if id(part) not in seen]
    return "".join([*shown, f"{_description_of(error)}\n", *of_group])


def _description_of(error: BaseException) -> str:
    """Return the type, with the message of an exception of ours, or what is known to be no data."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = _message_of(error) if kind.__module__.startswith(OURS) else _facts_of(error)
    return f"{name}: {text}" if text else name


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a trace that cannot be printed would hide the error
        return ""


def _facts_of(error: BaseException) -> str:
    """Return the system's own text for the number of an `OSError`, or the code of a database's driver."""
    if isinstance(error, OSError) and error.errno is not None:
        is_of_system = error.errno in errno.errorcode and error.strerror == os.strerror(error.errno)
        return f"[Errno {error.errno}] {error.strerror}" if is_of_system else f"[Errno {error.errno}]"
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return str(code or "")
