"""The disk after a power cut, rebuilt from a record of writes and syncs.

What was synced is there. Of what was written since, each piece may be there, may be missing, or may be torn at
the border of a sector. A file that was deleted without syncing its folder may be back.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR_BYTES = 512
Change = tuple[object, ...]
Content = bytearray


@dataclass
class Disk:
    """What a disk holds for certain, and what is still on its way to it."""

    durable: dict[str, Content] = field(default_factory=dict)
    pending: dict[str, list[Change]] = field(default_factory=dict)
    deleted: dict[str, Content] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)

    def take(self, change: Change) -> None:
        """Let one recorded change happen."""
        kind, name = change[0], str(change[1])
        if kind in ("write", "truncate"):
            if name not in self.durable:
                self.durable[name] = Content()
                self.unnamed.add(name)
            self.deleted.pop(name, None)
            self.pending.setdefault(name, []).append(change)
        elif kind == "sync":
            for waiting in self.pending.pop(name, []):
                apply(self.durable[name], waiting)
            if name in self.unnamed:  # SQLite syncs the folder with the first sync of a journal that it made
                self.unnamed.remove(name)
                self.deleted.clear()
        elif kind == "delete":
            self._delete(name, durably=bool(change[2]))

    def _delete(self, name: str, *, durably: bool) -> None:
        self.pending.pop(name, None)
        content = self.durable.pop(name, None)
        if durably:
            self.deleted.clear()  # the folder is synced with it
        elif content is not None:
            self.deleted[name] = content

    def after_a_cut(self, rng: random.Random | None) -> dict[str, Content]:
        """Return the files after a power cut: without `rng` only what is certain, else any of the rest."""
        files = {name: Content(content) for name, content in self.durable.items()}
        if rng is None:
            return files | {name: Content(content) for name, content in self.deleted.items()}
        for name, changes in self.pending.items():
            for change in changes:
                apply(files[name], *maybe(change, rng))
        return files | {name: Content(content) for name, content in self.deleted.items() if rng.random() < 0.5}


def maybe(change: Change, rng: random.Random) -> Iterator[Change]:
    """The change, nothing of it, or whole sectors from its beginning."""
    luck = rng.random()
    if luck < 0.5 or (luck < 0.7 and change[0] == "truncate"):
        yield change
    elif luck < 0.7:
        kind, name, offset, data = change
        sectors = len(data) // SECTOR_BYTES  # type: ignore[arg-type]
        yield kind, name, offset, data[: SECTOR_BYTES * rng.randrange(sectors + 1)]  # type: ignore[index]


def apply(content: Content, *changes: Change) -> None:
    """Change a file's content."""
    for change in changes:
        if change[0] == "truncate":
            size = int(change[2])  # type: ignore[call-overload]
            content[size:] = bytes(max(0, size - len(content)))
        else:
            _, _, offset, data = change
            content.extend(bytes(max(0, offset - len(content))))  # type: ignore[operator]
            content[offset : offset + len(data)] = data  # type: ignore[operator, arg-type]


def write_files(folder: Path, files: dict[str, Content]) -> None:
    """Put the files where they can be opened."""
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        (folder / name).write_bytes(content)
