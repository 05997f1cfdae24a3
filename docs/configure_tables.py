"""The settings and start options as tables for the documentation, from the tables that the code reads them by."""

from typing import Any

from app.config.schema.headers import HEADERS
from app.config.schema.keys import DESTINATION, REQUIRED, SECTIONS, TOKEN, Section, Setting
from app.config.start_options import OPTIONS

Row = tuple[str, ...]


def key_rows() -> list[Row]:
    """Return every key of a config, in the order of a file: path, type, default, meaning."""
    profile = "profiles.NAME"
    rows: list[Row] = [
        ("version", "`1`", "needed", "The version of this format."),
        ("defaultProfile", "name", "the only one", "The profile that counts when none is named."),
    ]
    for section, keys in SECTIONS.items():
        rows += _section_rows(f"{profile}.{section}", keys)
    rows += _section_rows(f"{profile}.service.tokens[]", TOKEN)
    return rows + _section_rows(f"{profile}.destinations[]", DESTINATION)


def variable_rows() -> list[Row]:
    """Return every environment variable that an operator may set: name, flag, type, default, meaning."""
    return [
        (option.variable, option.flag and f"`{option.flag}`", option.type.name, option.default_text, option.help)
        for option in OPTIONS
        if option.variable and option.help
    ]


def configure_tables() -> dict[str, str]:
    """Return the generated tables of docs/configure.md, by the name of their marker."""
    return {
        "keys": _table(("key", "type", "default", "meaning"), key_rows()),
        "variables": _table(("variable", "flag", "type", "default", "meaning"), variable_rows()),
    }


def _section_rows(path: str, keys: Section) -> list[Row]:
    return [(f"{path}.{name}", key.type.name, _default(key), key.meaning) for name, key in keys.items()]


def _default(key: Setting) -> str:
    if key.default is REQUIRED:
        return "needed"
    if key.type is HEADERS:
        return "`{}`"
    return "" if key.default is None else f"`{_written(key.default)}`"


def _written(value: Any) -> str:
    """Return a default as YAML writes it."""
    if isinstance(value, tuple):
        items = ", ".join(f'"{item}"' for item in value)
        return f"[{items}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(head: Row, rows: list[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join(["---"] * len(head)) + " |"]
    for name, *cells in rows:
        lines.append("| " + " | ".join([f"`{name}`", *(cell.replace("|", "\\|") for cell in cells)]) + " |")
    return "\n".join(lines)
