"""The counter folder: where the processes of one run share their counters. After the run it is useless, and removed.

Each process of the run holds a lock on the folder, which the kernel drops if the process dies. So a folder without a
lock is that of a dead run: the next start removes it. The last process that leaves a run removes its folder.
"""

import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # the supervisor needs no settings
    from app.config import Settings

log = logging.getLogger(__name__)

PREFIX = "wats-metrics-"
OWN_FILES = ("*.db", "*.lock")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - files that are useless after a stop need no disk
ROOM_BYTES = 256 * 1024
_PID = re.compile(r"_(\d+)\.db$")


class CounterFolder(NamedTuple):
    """A folder that this process holds. `lock` is the descriptor of its lock.

    `base` is the folder that an operator has named: the counters of all runs in it are shown together.
    """

    path: Path
    lock: int
    base: Path | None

    def counted_together(self) -> list[Path]:
        """Return the folders of the runs whose counters are shown together."""
        return [self.path] if self.base is None else sorted(self.base.glob(f"{PREFIX}*"))


_entered: list[CounterFolder] = []


def enter(settings: "Settings") -> CounterFolder | None:
    """Enter the folder of the run that this process belongs to, or of a new run. Without one, log why and go on.

    Processes that are forked later share it. One that was forked by the launcher is in the folder already.
    """
    if (folder := entered()) is not None:
        return folder
    reasons = []
    for where, open_folder in _attempts(settings.counter_folder, settings.metrics_dir):
        try:
            folder = open_folder()
        except OSError as error:
            reasons.append(f"{where}: {error.strerror or error}")
        else:
            _entered[:] = [folder]
            return folder
    reason = f"no folder for counters ({', '.join(reasons)}): /metrics shows those of the process that answers"
    log.warning("metrics.not_shared", extra={"reason": reason})
    return None


def entered() -> CounterFolder | None:
    """Return the folder of this process's run; None where it has none."""
    return _entered[0] if _entered else None


def hold_for_itself() -> None:
    """Hold the folder of the parent by a lock of this process's own: the one it shares with its parent is no sign."""
    if (shared := entered()) is not None:
        _entered[:] = [shared._replace(lock=_hold(shared.path))]
        os.close(shared.lock)


def take_over(folder: CounterFolder) -> None:
    """Hold the folder that this process held before it became another program."""
    _entered[:] = [folder]


def leave() -> None:
    """Leave the folder; remove it if no other process holds it. Forked processes must have ended."""
    while _entered:
        folder = _entered.pop()
        _remove_if_unheld(folder.path, folder.lock)
        os.close(folder.lock)


def _attempts(handed_down: Path | None, named: Path | None) -> Iterator[tuple[str, Callable[[], CounterFolder]]]:
    """Yield the ways to a folder, the best first: the parent's, the operator's, one in memory, one on a disk."""
    if handed_down is not None:
        yield str(handed_down), lambda: CounterFolder(handed_down, _hold(handed_down), named)
    elif named is not None:
        yield str(named), partial(_make_in, named, named)
    else:
        yield str(SHARED_MEMORY), partial(_make_in, SHARED_MEMORY)
        import tempfile  # only here and below, because the supervisor, which stays small, makes no folder

        yield "the folder of temporary files", lambda: _make_in(Path(tempfile.gettempdir()))


def _make_in(base: Path, named: Path | None = None) -> CounterFolder:
    """Make a folder for a new run, and remove those of dead runs. Raises `OSError`, also if there is no room."""
    if named is not None:
        base.mkdir(parents=True, exist_ok=True)
    for folder in base.glob(f"{PREFIX}*"):
        _remove_if_dead(folder)
    path, lock = _make_and_hold(base)
    try:
        _check_room(path)
    except OSError:
        path.rmdir()
        os.close(lock)
        raise
    return CounterFolder(path, lock, named)


def _make_and_hold(base: Path) -> tuple[Path, int]:
    """Make a folder and hold it. Repeat that if another start took it for a dead run's before it was held."""
    import tempfile

    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        with suppress(FileNotFoundError):
            return path, _hold(path)


def _hold(path: Path) -> int:
    """Return the descriptor of a shared lock on the folder. Raises `FileNotFoundError` if it has been removed."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        path.stat()
    except OSError:
        os.close(lock)
        raise
    return lock


def _check_room(path: Path) -> None:
    """Raise `OSError` where the counters of some processes would not fit."""
    import tempfile

    with tempfile.TemporaryFile(dir=path) as file:
        file.write(bytes(ROOM_BYTES))
        file.flush()


def _remove_if_dead(path: Path) -> None:
    """Remove the folder of a run of which no process is left. Leave alone what is not this user's."""
    with suppress(OSError):
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.geteuid() and not _has_older_writers(path):
                _remove_if_unheld(path, lock)
        finally:
            os.close(lock)


def _has_older_writers(path: Path) -> bool:
    """Return whether processes of an older version, which hold no lock, count there: its files have their numbers."""
    pids = [match[1] for file in path.iterdir() if (match := _PID.search(file.name))]
    return any(Path(f"/proc/{pid}").exists() for pid in pids)


def _remove_if_unheld(path: Path, lock: int) -> None:
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove((file for pattern in OWN_FILES for file in path.glob(pattern)), path)


def _remove(files: Iterable[Path], folder: Path) -> None:
    """Remove files and their folder; a folder that holds something else stays."""
    for file in files:
        file.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
