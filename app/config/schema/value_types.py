"""The types of values in a config."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.config.errors import InvalidValue, shortened
from app.config.hosts import is_host
from app.config.schema.references import read_env_ref, read_rotating_secret_ref
from app.config.schema.written import WrittenFloat, WrittenInt

MAX_ITEMS = 100
MAX_TEXT_LENGTH = 2000


@dataclass(frozen=True)
class ValueType:
    """A type: its name in the documentation, and the function that reads a raw value.

    The function raises `InvalidValue` with what is needed instead.
    """

    name: str
    read: Callable[[object], Any]


def text_of(value: object) -> str:
    """Return a string of 1 to 2000 printable characters."""
    if not isinstance(value, str):
        raise InvalidValue("wrong_type", f"text is needed{_quotes_hint(value)}")
    if not value or len(value) > MAX_TEXT_LENGTH or not value.isprintable():
        raise InvalidValue("bad_text", f"1 to {MAX_TEXT_LENGTH} printable characters are needed")
    return value


def text(name: str, pattern: str, message: str) -> ValueType:
    """Return the type of strings that match a pattern; `message` describes the pattern in words."""
    form = re.compile(pattern, re.ASCII)

    def read(value: object) -> str:
        if not form.fullmatch(text_of(value)):
            raise InvalidValue("bad_form", message)
        return str(value)

    return ValueType(name, read)


def number(low: int, high: int) -> ValueType:
    """Return the type of whole numbers within bounds."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidValue("wrong_type", "a whole number is needed, without quotes")
        if not low <= value <= high:
            raise InvalidValue("out_of_range", f"a number from {low} to {high} is needed")
        return int(value)

    return ValueType(f"{low}..{high}", read)


def decimal(low: float, high: float) -> ValueType:
    """Return the type of numbers within bounds, with or without a fraction."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValue("wrong_type", "a number is needed, without quotes")
        if not low <= value <= high:
            raise InvalidValue("out_of_range", f"a number from {low:g} to {high:g} is needed")
        return float(value)

    return ValueType(f"{low:g}..{high:g}, also a fraction", read)


def choice(*words: str) -> ValueType:
    """Return the type that accepts only these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise InvalidValue("bad_choice", f"one of {', '.join(words)} is needed{_switch_hint(value)}")
        return value

    return ValueType(" or ".join(words), read)


def _read_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("wrong_type", "true or false is needed")
    return value


def list_of(item_type: ValueType, *, min_items: int = 0) -> ValueType:
    """Return the type of lists of distinct values of one type."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidValue("wrong_type", "a list is needed")
        if not min_items <= len(value) <= MAX_ITEMS:
            raise InvalidValue("out_of_range", f"{min_items} to {MAX_ITEMS} items are needed")
        items = tuple(item_type.read(item) for item in value)
        if len(set(items)) < len(items):
            raise InvalidValue("repeated", "an item is repeated")
        return items

    return ValueType(f"list of {item_type.name}", read)


def or_reference(literal: ValueType) -> ValueType:
    """Return the type that accepts a literal of this type, or `{ env: NAME }`."""

    def read(value: object) -> Any:
        return read_env_ref(value) if isinstance(value, dict) else literal.read(value)

    return ValueType(f"{literal.name}, or {{ env: NAME }}", read)


def _read_numeric_id(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        written = value.written if isinstance(value, WrittenInt | WrittenFloat) else str(value)
        raise InvalidValue(
            "unquoted_id", f'a numeric id must be in quotes, so that its digits stay: "{shortened(written)}"'
        )
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,20}", value, re.ASCII):
        raise InvalidValue("bad_id", "1 to 20 digits in quotes are needed")
    return value


def _read_type_glob(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.*?-]{1,100}", value, re.ASCII):
        raise InvalidValue("bad_form", "an event type or a glob such as message.* is needed")
    return value


def _read_host(value: object) -> str:
    host = text_of(value)
    if not is_host(host):
        raise InvalidValue("bad_form", "an IP address (IPv6 without brackets) or a host name is needed")
    return host


def _quotes_hint(value: object) -> str:
    return f': write "{shortened(value.written)}" in quotes' if isinstance(value, WrittenInt | WrittenFloat) else ""


def _switch_hint(value: object) -> str:
    return '; "off" and "on" must be quoted' if isinstance(value, bool) else ""


SWITCH = ValueType("true or false", _read_switch)
NUMERIC_ID = ValueType("digits in quotes", _read_numeric_id)
SECRET = ValueType("{ env: NAME }", read_rotating_secret_ref)
TYPE_GLOB = ValueType("type or glob", _read_type_glob)
NAME = text(
    "name",
    r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}",
    "1 to 64 letters, digits, - and _ are needed, the first a letter or digit",
)
API_VERSION = text("vN.N", r"v[1-9][0-9]{0,2}\.[0-9]{1,2}", "a version such as v25.0 is needed")
HOST = ValueType("host or address", _read_host)
ROUTE = text(
    "path",
    r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+",
    "an absolute path such as /webhooks/whatsapp is needed: letters, digits and ._~-, no '..', no slash at the end",
)
FOLDER = text("folder", r"/.*", "the absolute path of a folder is needed")
