"""An env file named on the command line: `KEY=VALUE` lines, nothing clever.

Blank lines and lines that begin with `#` are passed over; `export ` in front of a name is, too. A value may stand
in single or double quotes, which are taken off; nothing in it is expanded.
"""

import re
from pathlib import Path

from app.config.files import is_readable_by_others, read_regular_file
from app.config.mistakes import Bad

LIMIT_BYTES = 64 * 1024

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def read_env_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """The file's variables, and what to warn of. Raises `Bad`; no message holds a value."""
    content = read_regular_file(path, limit=LIMIT_BYTES)
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Bad("not_utf8", "the env file is not UTF-8") from error
    if _CONTROL.search(text):
        raise Bad("control_character", "the env file holds a control character")
    notices = ["the env file is readable by others; chmod 600 it"] if is_readable_by_others(path) else []
    return _parse(text), notices


def _parse(text: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, value = _read_line(line.strip(), number)
        if name in variables:
            raise Bad("duplicate_key", f"{name} stands twice in the env file (line {number})")
        variables[name] = value
    return variables


def _read_line(line: str, number: int) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Bad("bad_line", f"line {number} of the env file is not KEY=VALUE")
    name, value = match.groups()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    return name, value
