"""The folder of the files that were fetched from Meta. A file is complete and on disk before it has its name.

Every call works in a native thread: a slow disk delays no other greenlet. Such a thread imports no module, as opening
a file of text in another encoding than UTF-8 does: the locks of imports are gevent's, and it may never go on.

The directory may hold what is not ours, or be shared with other databases. Only the subfolder that is named after
this database is read, written and swept.
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Generator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar, TypeVarTuple

from gevent import Timeout
from gevent.threadpool import ThreadPool

from app.domain.media_mark import FolderMark
from app.domain.meta.media import MEDIA_ID
from app.store.disk_files import folders, is_part, old_files, part_in, publish, remove, sync
from app.store.engine.executors import caught, value_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PIECE_BYTES = 256 * 1024
THREADS = 8
MARK, MAX_MARK, MARK_SECONDS = ".mark", 32, 5.0
OLD_SECONDS = 3600.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FolderUnusable(Exception):
    """The folder has no room, or cannot be written. The message names the cause and the cure."""


@dataclass(frozen=True)
class Written:
    """A file that was written: its size in bytes, and its SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


class _Threads:
    """Native threads for one folder: a disk that hangs takes those of nothing else. The first call begins them."""

    def __init__(self) -> None:
        self._pool: ThreadPool | None = None

    def __call__(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Do the work in a thread; return its value, or raise what it has raised."""
        if self._pool is None:  # not `or`: a pool without work is false
            self._pool = ThreadPool(THREADS)
        outcome: T = value_of(self._pool.apply(caught, (work, arguments)))
        return outcome


class MediaFolder:
    """Files by the ids of media. `min_free_bytes`: what stays free on the disk. `database_id`: asked when needed."""

    def __init__(self, directory: Path, min_free_bytes: int, database_id: Callable[[], str]) -> None:
        self._directory = directory
        self._min_free_bytes = min_free_bytes
        self._database_id = database_id
        self._in_thread = _Threads()
        self.problem: str | None = None
        """Why nothing may be written or deleted: the folder is not this database's, as far as was seen last."""

    @property
    def path(self) -> Path:
        """Return the subfolder of this database. Its name is random, so that nothing else has it."""
        return self._directory / f"wats-{self._database_id()}"

    def has(self, media_id: str) -> bool:
        """Return whether a file is here. Raises `FolderUnusable`."""
        return self._in_time(self._file(media_id).is_file)

    def free_bytes(self) -> int:
        """Return the free space on the disk. Raises `FolderUnusable`."""
        return self._in_time(shutil.disk_usage, self._directory).free

    def mark(self) -> FolderMark | None:
        """Return the mark of the folder; None if it has none. Raises `FolderUnusable` if its disk does not answer."""
        return self._in_time(_read_mark, self.path / MARK)

    def put_mark(self, text: str) -> None:
        """Write the mark, in the place of the former one. Raises `FolderUnusable`, also if its disk is too slow."""
        self._in_time(_write_mark, self.path / MARK, text, time.monotonic() + MARK_SECONDS)

    def has_one_of(self, media_ids: Collection[str]) -> bool:
        """Return whether one of these files is here. Raises `FolderUnusable`."""
        return self._in_time(lambda paths: any(map(Path.is_file, paths)), [self._file(one) for one in media_ids])

    def write(self, media_id: str, pieces: Iterable[bytes]) -> Written:
        """Keep a file, in the place of one of the same id.

        Raises `FolderUnusable`, and whatever the pieces raise; nothing of the file stays then.
        """
        self._refuse_if_wrong()
        target = self._file(media_id)
        part = part_in(self.path)
        try:
            with self._in_thread(self._open_part, part, target) as file:
                written = self._write(file, pieces)
                self._in_thread(sync, file)
            self._in_thread(publish, part, target)
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            self._in_thread(remove, part)
        return written

    def read(self, media_id: str) -> Generator[bytes, None, None] | None:
        """Return the pieces of a file; None if it is not here."""
        try:
            file = self._in_thread(self._file(media_id).open, "rb")
        except OSError:
            return None
        return self._pieces(file)

    def delete(self, media_ids: Iterable[str]) -> None:
        """Delete files; one that is not here is deleted already. Raises `FolderUnusable` if that is not possible."""
        self._refuse_if_wrong()
        for media_id in media_ids:
            try:
                self._in_thread(self._file(media_id).unlink)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise self._unusable(error) from error

    def sweep(self, known: Callable[[Collection[str]], Collection[str]]) -> int:
        """Delete old files that no id of `known` stands for, and parts that were left behind; return how many."""
        self._refuse_if_wrong()
        top, before = self.path, time.time() - OLD_SECONDS
        gone = [path for path in self._in_thread(old_files, top, before) if is_part(path)]
        for folder in self._in_thread(folders, top):
            old = [path for path in self._in_thread(old_files, folder, before) if _is_ours(top, path)]
            kept = set(known([path.name for path in old])) if old else set()
            gone += [path for path in old if path.name not in kept]
        for path in gone:
            self._in_thread(remove, path)
        return len(gone)

    def _in_time(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Do work that a healthy disk does quickly. If it takes too long, give it up; its thread goes on alone."""
        unanswered = FolderUnusable("media.directory does not answer: see whether its disk is there")
        try:
            with Timeout(MARK_SECONDS, unanswered):
                return self._in_thread(work, *arguments)
        except OSError as error:
            raise self._unusable(error) from error

    def _refuse_if_wrong(self) -> None:
        if self.problem is not None:
            raise FolderUnusable(self.problem)

    def _file(self, media_id: str) -> Path:
        assert MEDIA_ID.fullmatch(media_id), "a media id holds nothing that leads out of the folder"
        return _place_of(self.path, media_id)

    def _open_part(self, part: Path, target: Path) -> BinaryIO:
        part.parent.parent.mkdir(parents=True, exist_ok=True)
        for folder in (part.parent, target.parent):  # the mode counts for no parent of the folder that is made
            folder.mkdir(mode=0o700, exist_ok=True)
        if shutil.disk_usage(part.parent).free < self._min_free_bytes:
            raise OSError(errno.ENOSPC, "less is free than the folder must leave")
        return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600), "wb")

    def _write(self, file: BinaryIO, pieces: Iterable[bytes]) -> Written:
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            self._in_thread(file.write, piece)
            digest.update(piece)
            size += len(piece)
        return Written(size, digest.hexdigest())

    def _pieces(self, file: BinaryIO) -> Generator[bytes, None, None]:
        with file:
            while piece := self._in_thread(file.read, PIECE_BYTES):
                yield piece

    def _unusable(self, error: OSError) -> FolderUnusable:
        if error.errno in _NO_ROOM:
            return FolderUnusable("the disk of media.directory is nearly full: free some of it, or shorten retention")
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return FolderUnusable(f"media.directory cannot be used ({reason}): let this user own it, or name another one")


def _read_mark(path: Path) -> FolderMark | None:
    """Return the mark; None only if its file does not exist. Any other error is one of the disk, and raised."""
    try:
        with path.open("rb") as file:
            age = timedelta(seconds=time.time() - os.fstat(file.fileno()).st_mtime)
            return FolderMark(file.read(MAX_MARK).decode("ascii", "replace").strip(), age)
    except FileNotFoundError:
        return None


def _write_mark(path: Path, text: str, until: float) -> None:
    """Write the mark, unless that takes so long that another process may have made the next one."""
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = part_in(path.parent)
    try:
        part.write_bytes(text.encode("ascii"))
        if time.monotonic() > until:
            raise TimeoutError(errno.ETIMEDOUT, "the disk is too slow")
        part.replace(path)
    finally:
        remove(part)


def _place_of(top: Path, media_id: str) -> Path:
    return top / media_id[-2:] / media_id


def _is_ours(top: Path, path: Path) -> bool:
    return bool(MEDIA_ID.fullmatch(path.name)) and path == _place_of(top, path.name)
