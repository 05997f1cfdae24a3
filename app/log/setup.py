"""Makes this process's log lines: what our code and libraries log, and what no code catches."""

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


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes records to a stream. One that cannot be formatted becomes a line too, not a traceback."""

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Make a lock of native threads, because those of the store log too; see `gevent_patch`."""
        super().createLock()
        self.lock = native("_thread", "RLock")()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()  # the handler holds its lock already, which `StreamHandler.flush` takes again
        except Exception:  # noqa: BLE001
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        reason = type(sys.exc_info()[1]).__name__
        line = {"level": "error", "logger": record.name, "event": "log.unprintable", "reason": reason}
        self.stream.write(json.dumps(line) + self.terminator)


def configure_logging(stream: TextIO | None = None, level: str = "INFO", secrets: Iterable[str] = ()) -> None:
    """Write every log line of this process to this stream, by default standard error: as JSON, or for a person if
    the stream is a terminal."""
    handler = LineHandler(stream or sys.stderr)
    lines = JsonFormatter(secrets)
    handler.setFormatter(TerminalFormatter(lines) if handler.stream.isatty() else lines)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    _find_out_only_what_is_printed()
    logging.getLogger("alembic").setLevel("WARNING")


def _find_out_only_what_is_printed() -> None:
    """Let records hold neither place, thread nor process: of a delivery's time, that took a twentieth.

    These are the switches that Python's "Logging HOWTO" names under "Optimization".
    """
    logging._srcfile = None  # noqa: SLF001
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def log_uncaught_errors() -> None:
    """Log as one line what Python would print: an exception that ends a thread or the process, one that a destructor
    raises, and a warning."""
    sys.excepthook = lambda error_type, error, trace: _log_uncaught("process", error_type, error, trace)
    threading.excepthook = lambda args: _log_uncaught("thread", args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught("destructor", args.exc_type, args.exc_value, args.exc_traceback)
    logging.captureWarnings(capture=True)


def log_failed_greenlets() -> None:
    """Log as one line what ends a greenlet. It starts the event loop: not for a process that is forked later."""
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
