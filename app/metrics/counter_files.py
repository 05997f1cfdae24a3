"""Files in which a process writes its counters, so that the other processes of its run can read them.

They have the format of prometheus_client's multiprocess mode, whose own writer is not used: on a full disk a write to
its mapped files ends the process (SIGBUS), without its folder every new counter raises, and each process takes new
files, so that one that dies again and again fills the disk.
"""

import fcntl
import logging
import os
import struct
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MutexValue

log = logging.getLogger(__name__)

FILE_BYTES = 64 * 1024
ENTRY_OVERHEAD_BYTES = 32
FILE_ERRORS = (OSError, ValueError, RuntimeError, struct.error)
"""The exceptions that a full, missing or damaged file raises."""


class AllocatedFile(MmapedDict):
    """Numbers by key in a mapped file. Blocks are allocated before they are mapped: a full disk is an `OSError`."""

    def __init__(self, path: Path) -> None:
        with path.open("ab") as file:
            _allocate(file, FILE_BYTES)
        super().__init__(str(path))  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        if self._used + len(key.encode()) + ENTRY_OVERHEAD_BYTES > self._capacity:
            _allocate(self._f, 2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]


class CounterFiles:
    """The files of this process in a counter folder, one for each type of metric.

    It takes over the files of a process of this run that has died: their counts go on. The first error is logged, and
    from then on the process counts for itself.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, AllocatedFile] = {}
        self._slot: BinaryIO | None = None
        self._has_logged = False
        try:
            self._slot = _take_slot(folder)
        except OSError as error:
            self._log_once(error)

    def read(self, kind: str, key: str) -> float:
        """Return the number of this key; add it to the file with 0 if it has none."""
        if self._slot is not None:
            try:
                return float(self._file(kind).read_value(key)[0])  # type: ignore[no-untyped-call]
            except FILE_ERRORS as error:
                self._give_up(error)
        return 0.0

    def write(self, kind: str, key: str, value: float) -> None:
        """Write a number that has been read before, if this process still shares its numbers."""
        if self._slot is not None:
            try:
                self._files[kind].write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
            except FILE_ERRORS as error:
                self._give_up(error)

    def merged(self, folders: Sequence[Path]) -> list[Metric] | None:
        """Return the sums of all processes that count in these folders; None if they lack this process's numbers."""
        if self._slot is None:
            return None
        try:
            Path(self._slot.name).stat()
        except OSError as error:
            self._give_up(error)
            return None
        try:
            files = [file for folder in folders for file in folder.glob("*.db") if file.stat().st_size]
            return list(MultiProcessCollector.merge([str(file) for file in files]))  # type: ignore[no-untyped-call]
        except FILE_ERRORS as error:  # one of another process
            self._log_once(error)
            return None

    def close(self) -> None:
        """Close the files; a process that starts goes on with their counts."""
        for file in self._files.values():
            file.close()  # type: ignore[no-untyped-call]
        self._files.clear()
        if self._slot is not None:
            self._slot.close()
            self._slot = None

    def _file(self, kind: str) -> AllocatedFile:
        file = self._files.get(kind)
        if file is None:
            assert self._slot is not None
            file = self._files[kind] = AllocatedFile(self._folder / f"{kind}_{Path(self._slot.name).stem}.db")
        return file

    def _give_up(self, error: Exception) -> None:
        self.close()
        self._log_once(error)

    def _log_once(self, error: Exception) -> None:
        if self._has_logged:
            return
        self._has_logged = True
        cause = getattr(error, "strerror", None) or str(error)
        reason = f"{self._folder}: {cause}; /metrics shows the counts of the process that answers, until a restart"
        log.error("metrics.not_shared", extra={"reason": reason})


class SharedValue(MutexValue):
    """A number of a counter or histogram. It is also written to the files of this process, if it has any."""

    files: CounterFiles | None = None

    def __init__(  # the signature is prometheus_client's
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Sequence[str],
        labelvalues: Sequence[str],
        help_text: str,
        **options: Any,
    ) -> None:
        super().__init__(typ, metric_name, name, labelnames, labelvalues, help_text, **options)  # type: ignore[no-untyped-call]
        self._kind = typ
        self._key = mmap_key(metric_name, name, list(labelnames), list(labelvalues), help_text)
        if self.files is not None:
            self._value = self.files.read(typ, self._key)

    def inc(self, amount: float) -> None:
        """Add to the number. Only greenlets of one thread count, and none switches in here: it needs no lock."""
        self._value += amount
        if self.files is not None:
            self.files.write(self._kind, self._key, self._value)


def _take_slot(folder: Path) -> BinaryIO:
    """Return the locked file of the first slot that no living process has; its name is part of those of its files."""
    for number in count():
        slot = (folder / f"slot-{number}.lock").open("ab")
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            slot.close()
        else:
            return slot
    raise AssertionError("numbers do not end")


def _allocate(file: BinaryIO, size: int) -> None:
    """Make a file this long, with all of its blocks. Raises `OSError` if there is no room.

    A write to a mapped hole for which there is no room would end the process with a signal.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:  # macOS
        file.write(bytes(max(0, size - os.fstat(file.fileno()).st_size)))
        file.flush()
