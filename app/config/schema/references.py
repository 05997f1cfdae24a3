"""References: `{ env: NAME }` names the variable that holds the value, and `previous` a secret's old one."""

import re
from dataclasses import dataclass

from app.config.errors import InvalidValue
from app.config.start_options import CONTROL_VARIABLES

_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}", re.ASCII)


@dataclass(frozen=True)
class SecretRef:
    """The variable of a secret, and while the secret rotates, the variable of its previous value."""

    env: str
    previous: str | None = None


@dataclass(frozen=True)
class EnvRef:
    """The variable of a value that is no secret, such as an id."""

    env: str


def read_secret_ref(value: object) -> SecretRef:
    """Return a reference to a secret. A secret written in the config is refused; the message does not repeat it."""
    _refuse_raw_secret(value)
    return SecretRef(_name(_mapping(value, {"env"})))


def read_rotating_secret_ref(value: object) -> SecretRef:
    """Return a reference to a secret that may also name its `previous` value."""
    _refuse_raw_secret(value)
    mapping = _mapping(value, {"env", "previous"})
    name = _name(mapping)
    if "previous" not in mapping:
        return SecretRef(name)
    previous = read_secret_ref(mapping["previous"]).env
    if name == previous:
        raise InvalidValue(
            "reused_variable", f"{name} is named twice; the previous secret needs a variable of its own"
        )
    return SecretRef(name, previous)


def read_env_ref(value: object) -> EnvRef:
    """Return a reference to a value that is no secret."""
    return EnvRef(_name(_mapping(value, {"env"})))


def _refuse_raw_secret(value: object) -> None:
    if isinstance(value, str | int | float):
        raise InvalidValue("raw_secret", "a secret does not belong in the config; write { env: NAME }")


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
        raise InvalidValue("bad_variable_name", f"{name} is reserved for the gateway")
    return name
