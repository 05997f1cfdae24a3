"""References by which a config names what it must not contain: `{ env: NAME }`."""

import re
from dataclasses import dataclass

from app.config.mistakes import Bad

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True)
class SecretRef:
    """A secret by the name of its variable, with the previous one beside it while it rotates."""

    env: str
    previous: str | None = None


@dataclass(frozen=True)
class EnvRef:
    """A value that is no secret but stands in the environment, such as an id."""

    env: str


def read_secret(value: object) -> SecretRef:
    """A reference to a secret; a secret written out is refused without being shown."""
    if isinstance(value, str | int | float):
        raise Bad("raw_secret", "a secret does not belong in the config; write { env: NAME }")
    mapping = _mapping(value, {"env", "previous"})
    previous = mapping.get("previous")
    return SecretRef(_name(mapping), None if previous is None else _name(_mapping(previous, {"env"})))


def read_reference(value: object) -> EnvRef:
    """A reference to a value that is no secret."""
    return EnvRef(_name(_mapping(value, {"env"})))


def _mapping(value: object, allowed: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Bad("wrong_type", "write { env: NAME }")
    if set(value) - allowed:
        raise Bad("unknown_key", f"only {' and '.join(sorted(allowed))} may stand here")
    return value


def _name(mapping: dict[str, object]) -> str:
    name = mapping.get("env")
    if name is None:
        raise Bad("missing", "env is missing; write { env: NAME }")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Bad("bad_variable_name", "env must be the name of an environment variable")
    return name
