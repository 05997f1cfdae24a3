"""An env file: `KEY=VALUE` lines, nothing clever.

Ignored: blank lines, lines that begin with `#`, and `export ` before a name. Single or double quotes around a
value are removed; nothing in it is expanded.
"""

import re
from pathlib import Path

from app.config.errors import InvalidValue
from app.config.file.files import read_regular_file

MAX_BYTES = 64 * 1024

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def read_env_file(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the file's variables, and warnings. Raises `InvalidValue`; no message holds a value."""
    content = read_regular_file(path, max_bytes=MAX_BYTES)
    try:
        text = content.data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidValue("not_utf8", "the env file is not UTF-8") from error
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise InvalidValue(
            "control_character", f"line {line} of the env file holds a control character, a tab or a line separator"
        )
    warnings = ["the env file is readable by others; chmod 600 it"] if content.is_open_to_others else []
    return _parse(text), warnings


def _parse(text: str) -> dict[str, str]:
    variables: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" ") or line.lstrip(" ").startswith("#"):
            continue
        name, value = _read_line(line, number)
        if name in variables:
            raise InvalidValue("duplicate_key", f"line {number} of the env file sets {name} again")
        variables[name] = value
    return variables


def _read_line(line: str, number: int) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    name = name.strip(" ").removeprefix("export ").strip(" ")
    if not equals or not _NAME.fullmatch(name):
        raise InvalidValue("bad_line", f"line {number} of the env file is not KEY=VALUE")
    return name, _unquoted(value.strip(" "), number)


def _unquoted(value: str, number: int) -> str:
    quotes = {value[:1], value[-1:]} & {"'", '"'}
    if not quotes:
        return value
    inner = value[1:-1]
    if len(value) < 2 or value[0] != value[-1] or value[0] in inner:
        raise InvalidValue(
            "bad_line", f"line {number} of the env file has a quote inside quotes, or on one side only"
        )
    return inner
