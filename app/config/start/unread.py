"""Files that look like env files and are not read, unless a flag or a variable names them."""

from collections.abc import Collection
from pathlib import Path

from app.config.errors import InvalidValue
from app.config.start.env_file import read_env_file
from app.config.start_options import ENV_FILE

NAMES = (".env", ".env.local", ".flaskenv")


def unread_variables(names: Collection[str], environ: Collection[str] = ()) -> dict[Path, list[str]]:
    """Return, by file, which of these variables a file of the working folder gives a value that does not count.

    Those in `environ` count from there, and are left out.
    """
    found = {path: _given_in(path) for path in map(Path.cwd().joinpath, NAMES)}
    wanted = {name for name in names if name not in environ}
    return {path: sorted(wanted & given) for path, given in found.items() if wanted & given}


def unread_hint(name: str) -> str:
    """Return a clause that names the file which has this variable and was not read; empty if there is none."""
    path = next(iter(unread_variables([name])), None)
    return "" if path is None else f". {path} has it, but was not read: name it with {ENV_FILE.flag}"


def _given_in(path: Path) -> set[str]:
    try:
        return {name for name, value in read_env_file(path)[0].items() if value}
    except InvalidValue:
        return set()
