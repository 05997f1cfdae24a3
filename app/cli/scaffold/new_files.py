"""Write the files of a new folder: all of them or none, and never over an existing one."""

import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

PUBLIC, PRIVATE = 0o644, 0o600


def existing_files(folder: Path, names: Mapping[str, str]) -> list[Path]:
    """Return those of these files that exist already, dangling links included."""
    return [folder / name for name in names if os.path.lexists(folder / name)]


def write_new_files(folder: Path, files: Mapping[str, str], *, private: Collection[str] = ()) -> None:
    """Make the folder if it is missing and write every file into it, or leave nothing behind.

    The `private` ones can be read by their owner only.

    Each file is written under another name and then linked to its own, which fails if that name exists. Raises
    `FileExistsError` or another `OSError`.
    """
    with ExitStack() as undo:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir()
            undo.callback(_remove_folder, missing)
        with tempfile.TemporaryDirectory(prefix=".wats-new-", dir=folder) as name:
            for file, text in files.items():
                _write(Path(name) / file, text, PRIVATE if file in private else PUBLIC)
            for file in files:
                (folder / file).hardlink_to(Path(name) / file)
                undo.callback((folder / file).unlink, missing_ok=True)
        undo.pop_all()


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
