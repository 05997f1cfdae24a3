"""Standard output and standard error of a service, written by native threads: no request and no job waits for them.

A pipe that no process reads is soon full, and a disk may be. What cannot be written is given up and counted, and the
number is logged once writing works again.
"""

import atexit
import io
import json
import os
import signal
import sys
from _queue import Empty, SimpleQueue  # gevent replaces those of `queue`
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from app.gevent_patch import native

STDOUT, STDERR = 1, 2
PIPE_BUF = 4096
"""At most this many bytes are written to a pipe as a whole: lines of other processes come before or after them."""

MAX_QUEUED_BYTES = 1_000_000
GATHER_SECONDS = 0.01
"""The pause after a write: one write for the lines of 10 ms is cheaper than one for each, and so is one wake-up."""

NON_BLOCKING_RETRY_SECONDS = 0.01
STALLED_SECONDS, MAX_FLUSH_SECONDS, FLUSH_CHECK_SECONDS = 0.5, 2.0, 0.002

_native_sleep = native("time", "sleep")
_start_native_thread = native("_thread", "start_new_thread")


class Output:
    """Writes texts to a descriptor from a native thread. `put` never waits and takes no lock.

    `notice` makes the log line for the number of lost lines. A forked process starts with an empty queue and a
    thread of its own: its parent writes what the parent has queued.
    """

    def __init__(self, descriptor: int, notice: Callable[[int], str], max_bytes: int = MAX_QUEUED_BYTES) -> None:
        self.descriptor = descriptor
        self._notice = notice
        self._max_bytes = max_bytes
        self._start_over()
        os.register_at_fork(after_in_child=self._start_over)

    @property
    def lost(self) -> int:
        """How many lines this process has given up."""
        return self._refused + self._failed

    def put(self, text: str) -> None:
        """Queue a text to be written, or give it up if the queue is full."""
        data = text.encode(errors="backslashreplace")
        size = len(data)
        is_full = self._put + size - self._done > self._max_bytes
        if is_full or not (self._has_thread or self._start_thread()):
            lines = text.count("\n")
            self._refused += lines
            return
        self._put += size
        self._queue.put(data)

    def flush(self) -> None:
        """Wait until everything is written, but not for a reader that takes nothing for half a second."""
        done, now = -1, monotonic()
        ends, stalls = now + MAX_FLUSH_SECONDS, now
        while self._done < self._put and now < ends:
            if self._done != done:
                done, stalls = self._done, now + STALLED_SECONDS
            elif now > stalls:
                return
            _native_sleep(FLUSH_CHECK_SECONDS)
            now = monotonic()

    def _start_over(self) -> None:
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._has_thread = self._is_torn = False
        # callers change the first two, the thread the others: so none of them needs a lock
        self._put = self._refused = 0
        self._done = self._failed = self._reported = 0

    def _start_thread(self) -> bool:
        """Start the thread, if there can be one more. It blocks every signal: they are for the main thread."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            _start_native_thread(self._write_for_ever, ())
            self._has_thread = True
        except RuntimeError:
            return False
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return True

    def _write_for_ever(self) -> None:
        data = self._queue.get()
        while True:
            batch, data = self._gather(data)
            self._write_batch(batch)
            if not data:
                _native_sleep(GATHER_SECONDS)
                data = self._queue.get()

    def _gather(self, first: bytes) -> tuple[bytes, bytes]:
        """Return texts to write at once, at most PIPE_BUF bytes unless one is longer, and the text after them."""
        batch = [first]
        room = PIPE_BUF - len(first)
        try:
            while (room := room - len(data := self._queue.get_nowait())) >= 0:
                batch.append(data)
        except Empty:
            data = b""
        return b"".join(batch), data

    def _write_batch(self, batch: bytes) -> None:
        if (unreported := self.lost - self._reported) and not self._write(self._notice(unreported).encode()):
            self._reported += unreported
        self._failed += self._write(batch)
        self._done += len(batch)

    def _write(self, data: bytes) -> int:
        """Write all of it, and return how many lines could not be written. A line after a torn one begins anew."""
        lines, rest = data.count(b"\n"), (b"\n" if self._is_torn else b"") + data
        while rest:
            try:
                written = os.write(self.descriptor, rest)
            except BlockingIOError:  # another process shares the open file, and has changed its mode
                _native_sleep(NON_BLOCKING_RETRY_SECONDS)
                continue
            except OSError:
                return min(lines, rest.count(b"\n"))
            rest = rest[written:]
            self._is_torn = bool(rest)
        return 0


class OutputStream(io.TextIOBase):
    """A text stream in the place of `sys.stdout` or `sys.stderr`, which queues whole lines."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, output: Output) -> None:
        self._output = output
        self._begun = ""

    def write(self, text: str) -> int:
        if text.endswith("\n") and not self._begun:
            self._output.put(text)
            return len(text)
        whole, newline, self._begun = (self._begun + text).rpartition("\n")
        if newline:
            self._output.put(whole + newline)
        return len(text)

    def flush(self) -> None:
        begun, self._begun = self._begun, ""
        if begun:
            self._output.put(begun)

    def fileno(self) -> int:
        return self._output.descriptor

    def isatty(self) -> bool:
        return os.isatty(self._output.descriptor)

    def writable(self) -> bool:
        return True


_outputs: list[Output] = []


def take_over_output() -> None:
    """Let no write of this process to standard output or standard error wait from now on.

    For services only: a command must not lose a part of its result.
    """
    if _outputs:
        return
    _occupy_closed_descriptors()
    _outputs.extend(Output(descriptor, lost_lines_notice) for descriptor in (STDOUT, STDERR))
    sys.stdout, sys.stderr = (OutputStream(output) for output in _outputs)
    atexit.register(flush_output)


def flush_output() -> None:
    """Wait for the queued lines to be written, 2 seconds at most: this process is about to end or to be replaced."""
    for output in _outputs:
        output.flush()


def lines_lost() -> int:
    """Return how many lines this process has given up."""
    return sum(output.lost for output in _outputs)


def lost_lines_notice(lines: int) -> str:
    """Return the log line for this number of lost lines."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": time, "level": "warning", "logger": __name__, "event": "log.lines_lost", "lines": lines}
    return json.dumps(line, separators=(",", ":")) + "\n"


def _occupy_closed_descriptors() -> None:
    """Open the null device where a standard descriptor is closed: the next open file would get its number."""
    for descriptor in (0, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - it takes no keyword
