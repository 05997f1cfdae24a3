"""References: `{ env: NAME }` in a config names the variable that holds the value."""

import re
from dataclasses import dataclass

from app.config.errors import InvalidValue
from app.config.start_options import CONTROL_VARIABLES

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}", re.ASCII)


@dataclass(frozen=True)
class SecretRef:
    """A secret by the name of its variable; while the secret rotates, also that of its previous value."""

    env: str
    previous: str | None = None


@dataclass(frozen=True)
class EnvRef:
    """A value of the environment that is no secret, such as an id."""

    env: str


def read_secret(value: object) -> SecretRef:
    """Return a reference to a secret. A secret in the config itself is refused without being shown."""
    mapping = _mapping(_no_raw_secret(value), {"env", "previous"})
    if "previous" not in mapping:
        return SecretRef(_name(mapping))
    name, previous = _name(mapping), _name(_mapping(_no_raw_secret(mapping["previous"]), {"env"}))
    if name == previous:
        raise InvalidValue("reused_variable", f"{name} cannot be the previous secret too")
    return SecretRef(name, previous)


def read_reference(value: object) -> EnvRef:
    """Return a reference to a value that is no secret."""
    return EnvRef(_name(_mapping(value, {"env"})))


def _no_raw_secret(value: object) -> object:
    if isinstance(value, str | int | float):
        raise InvalidValue("raw_secret", "a secret does not belong in the config; write { env: NAME }")
    return value


def _mapping(value: object, allowed: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidValue("wrong_type", "write { env: NAME }")
    if set(value) - allowed:
        raise InvalidValue("unknown_key", f"allowed here: {' and '.join(sorted(allowed))}")
    return value


def _name(mapping: dict[str, object]) -> str:
    name = mapping.get("env")
    if name is None:
        raise InvalidValue("missing", "env is missing; write { env: NAME }")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidValue("bad_variable_name", "env must be the name of a variable: capitals, digits and _")
    if name.endswith("_FILE"):
        raise InvalidValue("bad_variable_name", "leave out _FILE: every NAME can also be given as NAME_FILE")
    if name in CONTROL_VARIABLES:
        raise InvalidValue("bad_variable_name", f"{name} is a variable of the gateway itself")
    return name
