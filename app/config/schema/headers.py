"""Custom headers of a destination: each value is a literal or a reference to a secret."""

import re

from app.config.errors import InvalidValue, shortened
from app.config.schema.references import SecretRef, read_secret_ref
from app.config.schema.value_types import ValueType

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?")
_RESERVED = re.compile(
    r"host|content-.*|connection|transfer-encoding|te|trailer|upgrade|expect|user-agent|webhook-.*|x-hub-.*|traceparent",
    re.I,
)
_CREDENTIALS = re.compile(r"(?:proxy-)?authorization|cookie|(?:x-)?(?:auth|access|api)-?(?:token|key)", re.I)


def _read_headers(value: object) -> tuple[tuple[str, str | SecretRef], ...]:
    if not isinstance(value, dict):
        raise InvalidValue("wrong_type", "a mapping of header names to values is needed")
    names = [name.lower() for name in value]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InvalidValue("repeated", f"{shortened(min(repeated))} is repeated")
    return tuple((_name(name), _value(name, text)) for name, text in value.items())


def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise InvalidValue("bad_header", f"{shortened(name)} is no header name")
    if _RESERVED.fullmatch(name):
        raise InvalidValue("reserved_header", f"{name} is reserved for the gateway")
    return name


def _value(name: str, value: object) -> str | SecretRef:
    if isinstance(value, dict):
        return read_secret_ref(value)
    if _CREDENTIALS.fullmatch(name):
        raise InvalidValue("raw_secret", f"{name} is a secret; write {{ env: NAME }}")
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise InvalidValue("bad_header", f"{name}: printable ASCII text or {{ env: NAME }} is needed")
    return value


HEADERS = ValueType("mapping of headers", _read_headers)
