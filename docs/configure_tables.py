"""What can be set, as rows and tables for the documentation; they come from where the reading comes from."""

from typing import Any

from app.config.schema.headers import HEADERS
from app.config.schema.keys import DESTINATION, REQUIRED, SECTIONS, TOKEN, Section, Setting
from app.config.start_options import REFERENCE

Row = tuple[str, str, str, str]
"""Path or name, type, default, meaning."""


def key_rows() -> list[Row]:
    """Every key of a config, in the order in which people write them."""
    profile = "profiles.NAME"
    rows: list[Row] = [
        ("version", "`1`", "needed", "The version of this format."),
        ("defaultProfile", "name", "the only one", "The profile that is meant when none is named."),
    ]
    for section, keys in SECTIONS.items():
        rows += _section_rows(f"{profile}.{section}", keys)
    rows += _section_rows(f"{profile}.service.tokens[]", TOKEN)
    return rows + _section_rows(f"{profile}.destinations[]", DESTINATION)


def variable_rows() -> list[Row]:
    """Every environment variable of our own."""
    return [(name, kind, f"`{default}`" if default else "", meaning) for name, kind, default, meaning in REFERENCE]


def configure_tables() -> dict[str, str]:
    """The generated tables of docs/configure.md, by the name of their marker."""
    return {
        "keys": _table(("key", "type", "default", "meaning"), key_rows()),
        "variables": _table(("variable", "type", "default", "meaning"), variable_rows()),
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
    """A default as it would stand in YAML."""
    if isinstance(value, tuple):
        items = ", ".join(f'"{item}"' for item in value)
        return f"[{items}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(head: Row, rows: list[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- | --- | --- | --- |"]
    for name, *cells in rows:
        lines.append("| " + " | ".join([f"`{name}`", *(cell.replace("|", "\\|") for cell in cells)]) + " |")
    return "\n".join(lines)
