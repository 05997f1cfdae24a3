"""Watches what the very SQLite library that wats uses does to its files, and makes it fail on request.

SQLite reaches the disk through tables of functions (a "VFS", https://sqlite.org/vfs.html). Those of the library
are changed in place, so that a write, a truncation, a sync or a deletion passes by a watcher first. No other
library, no compiler, no change of our own code.
"""

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, addressof, c_char_p, c_int, c_int64, c_void_p, cast
from pathlib import Path
from typing import Any, Protocol

from pysqlite3 import _sqlite3 as library

OK = 0
READONLY, IOERR_WRITE, IOERR_FSYNC, FULL = 8, 10 | 3 << 8, 10 | 4 << 8, 13

X_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
X_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
X_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
X_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
X_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
METHODS_AFTER_SYNC = {1: 7, 2: 11, 3: 13}


class Watcher(Protocol):
    """Sees each change of a file, by its name. What it returns, if it is not `OK`, SQLite gets instead of it."""

    def write(self, name: str, offset: int, data: bytes) -> int: ...
    def truncate(self, name: str, size: int) -> int: ...
    def sync(self, name: str) -> int: ...
    def delete(self, name: str, durably: bool) -> int: ...


class _Vfs(Structure):
    _fields_ = [
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", X_OPEN),
        ("delete", X_DELETE),
    ]


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", X_WRITE),
        ("truncate", X_TRUNCATE),
        ("sync", X_SYNC),
        ("others", c_void_p * METHODS_AFTER_SYNC[3]),
    ]


_kept: list[Any] = []


def watch(watcher: Watcher) -> None:
    """Let the watcher see every file that this process opens from now on."""
    sqlite = ctypes.CDLL(library.__file__)
    sqlite.sqlite3_vfs_find.restype = POINTER(_Vfs)
    vfs = sqlite.sqlite3_vfs_find(None).contents
    names: dict[int, str] = {}
    watched: dict[int, _Methods] = {}
    really_open, really_delete = X_OPEN(cast(vfs.open, c_void_p).value), X_DELETE(cast(vfs.delete, c_void_p).value)

    def open_file(own: int, path: int | None, file: int, flags: int, out: int) -> int:
        code = int(really_open(own, path, file, flags, out))
        pointer = c_void_p.from_address(file)
        if code == OK and path and pointer.value:
            names[file] = _name(path)
            if pointer.value not in watched:
                watched[pointer.value] = _watched(_Methods.from_address(pointer.value), names, watcher)
            pointer.value = addressof(watched[pointer.value])
        return code

    def delete_file(own: int, path: int, durably: int) -> int:
        return watcher.delete(_name(path), bool(durably)) or int(really_delete(own, path, durably))

    vfs.open, vfs.delete = X_OPEN(open_file), X_DELETE(delete_file)
    _kept.extend((sqlite, vfs, watched, vfs.open, vfs.delete, really_open, really_delete))


def _name(path: int) -> str:
    """SQLite keeps the pointer to a path, so that it must be its own, not one to a copy of ours."""
    return Path(ctypes.string_at(path).decode()).name


def _watched(original: _Methods, names: dict[int, str], watcher: Watcher) -> _Methods:
    """A copy of a file's methods that asks the watcher first."""
    copy = _Methods()
    size = _Methods.others.offset + METHODS_AFTER_SYNC[original.version] * ctypes.sizeof(c_void_p)
    ctypes.memmove(addressof(copy), addressof(original), size)

    def write(file: int, data: int, size: int, offset: int) -> int:
        answer = watcher.write(names[file], offset, ctypes.string_at(data, size))
        return answer or int(original.write(file, data, size, offset))

    def truncate(file: int, size: int) -> int:
        return watcher.truncate(names[file], size) or int(original.truncate(file, size))

    def sync(file: int, flags: int) -> int:
        return watcher.sync(names[file]) or int(original.sync(file, flags))

    copy.write, copy.truncate, copy.sync = X_WRITE(write), X_TRUNCATE(truncate), X_SYNC(sync)
    _kept.extend((original, copy.write, copy.truncate, copy.sync))
    return copy
