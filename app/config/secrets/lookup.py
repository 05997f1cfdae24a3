"""Where values come from: the start-time environment, files that it names, and an env file, in this order."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.config.errors import ConfigProblem, InvalidValue
from app.config.file.files import read_regular_file
from app.config.schema.references import SecretRef
from app.config.settings import Secret

LIMIT_SECRET_BYTES = 16 * 1024
PLACEHOLDER_PREFIX = "dry-run-"
WEAK_LENGTH = 16

_VISIBLE = re.compile(r"[\x21-\x7e]{1,4096}")
_PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?")


@dataclass
class Sources:
    """Looks values up, and collects what is missing or wrong so that all of it is told together."""

    environ: Mapping[str, str]
    env_file: Mapping[str, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    def is_set(self, name: str) -> bool:
        """Tells whether the environment has a variable, or names a file for it."""
        return bool(self.environ.get(name) or self.environ.get(f"{name}_FILE"))

    def peek(self, name: str) -> str | None:
        """The value of a variable, or of the file that `NAME_FILE` names. Raises `InvalidValue`; empty is absent."""
        return self._look_up(name)[0]

    def _look_up(self, name: str) -> tuple[str | None, str]:
        """The value and where it comes from."""
        direct, file = self.environ.get(name), self.environ.get(f"{name}_FILE")
        if direct and file:
            raise InvalidValue("both_set", f"{name} and {name}_FILE are both set; keep one")
        if direct:
            return direct, f"environment {name}"
        if file:
            return _content_of(Path(file), name) or None, f"file named by {name}_FILE"
        return self.env_file.get(name) or None, f"env file {name}"

    def value(self, name: str, path: str) -> str | None:
        """A value that must be there; None, with a problem, if it is not."""
        try:
            value, origin = self._look_up(name)
        except InvalidValue as bad:
            self.problems.append(bad.at(path))
            return None
        if value is None:
            self.problems.append(ConfigProblem("secret_missing", path, f"set {name}, or {name}_FILE to a path"))
        else:
            self.origins[name] = origin
        return value

    def secret(self, ref: SecretRef, path: str, *, live: bool = True) -> Secret:
        """A secret with its rotation; an empty one, with a problem, if it cannot be had."""
        current = self._checked(ref.env, path, live=live)
        previous = self._checked(ref.previous, f"{path}.previous", live=live) if ref.previous else None
        if current and live and len(current) < WEAK_LENGTH:
            self.warnings.append(f"{ref.env} is shorter than {WEAK_LENGTH} characters")
        return Secret(ref.env, current, previous)

    def header(self, ref: SecretRef, path: str, *, live: bool = True) -> str:
        """A header's value, in which blanks may stand: `Bearer …`."""
        return self._checked(ref.env, path, live=live, form=_PRINTABLE)

    def _checked(self, name: str, path: str, *, live: bool, form: re.Pattern[str] = _VISIBLE) -> str:
        value = self.value(name, path)
        if value is None:
            return ""
        if not form.fullmatch(value):
            wanted = "visible ASCII without blanks" if form is _VISIBLE else "one line of ASCII"
            self.problems.append(ConfigProblem("bad_secret", path, f"{name} must be {wanted}"))
            return ""
        if live and value.startswith(PLACEHOLDER_PREFIX):
            self.problems.append(ConfigProblem("placeholder_secret", path, f"{name} holds a dry-run placeholder"))
        return value


def check_standard_webhooks_secret(secret: Secret, path: str) -> list[ConfigProblem]:
    """`whsec_…` is base64 of 24 to 64 bytes (Standard Webhooks); anything else is its own bytes."""
    encoded = [value.removeprefix("whsec_") for value in secret.active if value.startswith("whsec_")]
    if all(_is_base64_key(value) for value in encoded):
        return []
    return [ConfigProblem("bad_secret", path, f"{secret.name} is not whsec_ and the base64 of 24 to 64 bytes")]


def _is_base64_key(value: str) -> bool:
    try:
        return 24 <= len(base64.b64decode(value, validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False


def _content_of(path: Path, name: str) -> str:
    """A secret's file; one newline at its end belongs to the editor, not to the secret."""
    try:
        text = read_regular_file(path, limit=LIMIT_SECRET_BYTES).data.decode()
    except UnicodeDecodeError as error:
        raise InvalidValue("not_utf8", f"{name}_FILE: the file is not UTF-8") from error
    except InvalidValue as bad:
        raise InvalidValue(bad.code, f"{name}_FILE: {bad.message}") from bad
    return text.removesuffix("\n").removesuffix("\r")
