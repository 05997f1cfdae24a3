"""Sets up the log of this process: records of our code and of libraries, and exceptions that no code catches."""

import json
import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

from app.gevent_patch import native
from app.log.json_lines import JsonFormatter
from app.log.terminal_lines import TerminalFormatter
from app.log.throttle import Throttle

log = logging.getLogger(__name__)

ErrorType = type[BaseException] | None

_uncaught = Throttle()


class NativeLockHandler(logging.Handler):
    """A handler with a native lock, because native threads of the store log too; see `gevent_patch`."""

    def createLock(self) -> None:  # noqa: N802 - logging's name
        super().createLock()
        self.lock = native("_thread", "RLock")()


class LineHandler(NativeLockHandler, logging.StreamHandler[TextIO]):
    """Writes records to a stream. A record that cannot be formatted becomes a line about that, not a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()  # `StreamHandler.flush` would lock again: the lock is already held here
        except Exception:  # noqa: BLE001
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        reason = type(sys.exc_info()[1]).__name__
        line = {"level": "error", "logger": record.name, "event": "log.unprintable", "reason": reason}
        self.stream.write(json.dumps(line) + self.terminator)


def configure_logging(stream: TextIO | None = None, level: str = "INFO", secrets: Iterable[str] = ()) -> None:
    """Write every log line of this process to this stream, standard error by default.

    The lines are JSON. If the stream is a terminal, they are text for people.
    """
    handler = LineHandler(stream or sys.stderr)
    lines = JsonFormatter(secrets)
    handler.setFormatter(TerminalFormatter(lines) if handler.stream.isatty() else lines)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    _collect_only_printed_fields()
    logging.getLogger("alembic").setLevel("WARNING")


def _collect_only_printed_fields() -> None:
    """Collect for a record neither file and line nor thread and process: they took 5 % of the time of a delivery.

    Python's "Logging HOWTO" lists these switches under "Optimization".
    """
    logging._srcfile = None  # noqa: SLF001
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def log_uncaught_errors() -> None:
    """Log, each as one line, what Python would print: exceptions that end a thread or the process, exceptions in
    destructors, and warnings."""
    sys.excepthook = lambda error_type, error, trace: _log_uncaught("process", error_type, error, trace)
    threading.excepthook = lambda args: _log_uncaught("thread", args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught("destructor", args.exc_type, args.exc_value, args.exc_traceback)
    logging.captureWarnings(capture=True)


def log_failed_greenlets() -> None:
    """Log an exception that ends a greenlet, as one line. This starts the event loop: do not fork afterwards."""
    from gevent import get_hub  # here, because a process without greenlets needs no gevent

    get_hub().print_exception = _log_failed_greenlet  # type: ignore[method-assign]  # the way that gevent names


def _log_failed_greenlet(context: object, t: ErrorType, v: Any, tb: TracebackType | None) -> None:  # noqa: ARG001
    _log_uncaught("greenlet", t, v, tb)


def _log_uncaught(where: str, error_type: ErrorType, error: Any, trace: TracebackType | None) -> None:
    repeats = _uncaught.repeats((where, error_type, _place(trace)))
    if repeats is None or error_type is None:
        return
    log.error(
        "error.uncaught",
        exc_info=(error_type, error, trace),
        extra={"reason": f"{error_type.__name__} in a {where}", "repeats": repeats or None},
    )


def _place(trace: TracebackType | None) -> tuple[str, int] | None:
    """Return the file and the line that raised."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    return (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None
