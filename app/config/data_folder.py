"""Whether this user can keep the SQLite file where it is to be, found out before anything opens it.

A volume of another user, or one that is mounted read-only, is the most frequent fault of a first deployment.
"""

import os
import stat
from dataclasses import replace
from pathlib import Path

from app.config.errors import Problems
from app.config.schema.databases import path_in
from app.config.secrets.dry_run import DEFAULT_FILE
from app.config.settings import Mode, Settings
from app.config.start.request import StartRequest
from app.config.start.values import Sourced
from app.config.start_options import DATA_DIR, DRY_RUN_DATABASE_URL

PRIVATE_FOLDER = 0o700
FALLBACK_NAME = "wats"
SIDE_FILES = ("", "-wal", "-shm")


FILE_IN_THE_WAY = "a file is where a folder is needed"


def with_writable_folder(request: StartRequest) -> StartRequest:
    """Return the request; for a dry-run whose folder cannot be written, with a folder below /tmp and a warning.

    A file in the folder's place is no fault of the machine but a wrong setting: that stays, to be refused.
    """
    if request.mode is not Mode.DRY_RUN or request.environ.get(DRY_RUN_DATABASE_URL.variable):
        return request
    file = request.values[DATA_DIR] / DEFAULT_FILE
    why = why_unwritable(file, shows_path=True)
    folder = _fallback_folder() if why and _nearest(file).is_dir() else None
    if folder is None:
        return request
    values = request.values.with_changes({DATA_DIR: Sourced(folder, "fallback of a dry-run")})
    return replace(request, values=values, warnings=(*request.warnings, f"dry-run keeps its data in {folder}: {why}"))


def refuse_unwritable_folder(settings: Settings, problems: Problems) -> None:
    """Add a problem if the SQLite file cannot be kept in WATS_DATA_DIR, or cannot be created elsewhere."""
    file = path_in(settings.storage.url)
    if file is None or (file.parent != settings.data_dir and _exists(file)):
        return
    source = settings.storage.source
    if why := why_unwritable(file, shows_path=source == DATA_DIR.variable):
        problems.named(source).add("unwritable_folder", why)


def why_unwritable(file: Path, *, shows_path: bool) -> str | None:
    """Return why a SQLite database cannot be kept in this file, and the cure; None if it can. It creates nothing.

    `shows_path` is False for a path out of a database's URL, which is a secret as a whole.
    """
    folder = _nearest(file)
    if not folder.is_dir():
        below = "" if folder == file.parent else f" for {file.parent}"
        where = f"{folder} is a file where a folder is needed{below}" if shows_path else FILE_IN_THE_WAY
        return f"{where}; name another folder, or move the file away"
    if not os.access(folder, os.W_OK | os.X_OK):
        return _explain(folder, str(folder) if shows_path else "its folder")
    files = [file.with_name(file.name + suffix) for suffix in SIDE_FILES]
    closed = next((each for each in files if _exists(each) and not os.access(each, os.R_OK | os.W_OK)), None)
    return None if closed is None else _explain(closed, str(closed) if shows_path else "its file")


def _fallback_folder() -> Path | None:
    """Return this user's folder below /tmp; None if another user has taken its name."""
    import tempfile  # here, because it is rarely needed

    folder = Path(tempfile.gettempdir()) / FALLBACK_NAME
    try:
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() else None


def _nearest(file: Path) -> Path:
    """Return the nearest of the paths above this file that exists."""
    return next(filter(_exists, file.parents))


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _explain(path: Path, name: str) -> str:
    """Return why a path that exists may not be written, and the cures. The text calls it by this name."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{name} is on a read-only file system; mount a volume that may be written, or name another folder"
    uid, gid, status = os.geteuid(), os.getegid(), path.stat()
    target = name if name == str(path) else "PATH"
    return (
        f"{name} cannot be written by user {uid}:{gid}: it belongs to {status.st_uid}:{status.st_gid}, mode "
        f"{stat.S_IMODE(status.st_mode):04o}. Run `chown -R {uid} {target}`, on Kubernetes set `fsGroup: {gid}`, on "
        f"a platform let user {uid} own the volume; or name another folder"
    )
