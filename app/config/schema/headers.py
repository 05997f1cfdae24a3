"""Custom headers of a destination: a literal value, or a reference to a secret one."""

import re

from app.config.errors import InvalidValue
from app.config.schema.references import SecretRef, read_secret
from app.config.schema.value_types import ValueType

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?", re.ASCII)
RESERVED = re.compile(
    r"host|content-.*|connection|transfer-encoding|te|trailer|upgrade|expect|user-agent|webhook-.*|x-hub-.*",
    re.I,
)
CREDENTIALS = re.compile(
    r"(?:proxy-)?authorization|cookie|(?:x-)?api-?key|(?:x-)?(?:auth|access|api)-?(?:token|key)", re.I
)


def _read_headers(value: object) -> tuple[tuple[str, str | SecretRef], ...]:
    if not isinstance(value, dict):
        raise InvalidValue("wrong_type", "a mapping of header names to values is needed")
    names = [str(name).lower() for name in value]
    if len(set(names)) < len(names):
        raise InvalidValue("repeated", "a header is repeated")
    return tuple((_name(name), _value(name, text)) for name, text in value.items())


def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise InvalidValue("bad_header", "this is no header name")
    if RESERVED.fullmatch(name):
        raise InvalidValue("reserved_header", f"{name} is set by the gateway itself")
    return name


def _value(name: str, value: object) -> str | SecretRef:
    if isinstance(value, dict):
        return read_secret(value)
    if CREDENTIALS.fullmatch(name):
        raise InvalidValue("raw_secret", f"{name} is a secret; write {{ env: NAME }}")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise InvalidValue("bad_header", "a header's value is printable ASCII text, or { env: NAME }")
    return value


HEADERS = ValueType("mapping of headers", _read_headers)
