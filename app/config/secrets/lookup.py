"""Where secrets come from: the environment the process started with, the files it names, then an env file."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.config.errors import InvalidValue, Problems
from app.config.file.files import read_regular_file
from app.config.schema.references import SecretRef
from app.config.settings import Secret
from app.config.start.unread import unread_hint
from app.domain.standard_webhooks import ENCODED

MAX_SECRET_BYTES = 16 * 1024
PLACEHOLDER_PREFIXES = ("dry-run-", "whsec_ZHJ5LXJ1bi")
"""The prefixes of a dry-run's placeholders; also in base64, for the secrets of destinations."""

WEAK_LENGTH = 16
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
IN_QUOTES = "is in quotes, which belong to the value (`docker --env-file` keeps them); write it without"


@dataclass(frozen=True)
class _Form:
    pattern: re.Pattern[str]
    description: str


_TOKEN = _Form(re.compile(r"[\x21-\x7e]{1,4096}"), "1 to 4096 visible ASCII characters, without blanks")
_HEADER_VALUE = _Form(
    re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?"),
    "1 to 4096 ASCII characters on one line, without a blank at either end",
)


@dataclass
class Sources:
    """Looks up values by variable, and keeps where each one was found (`origins`) and what to warn about."""

    environ: Mapping[str, str]
    env_file: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)

    def is_set(self, name: str) -> bool:
        """Return whether the environment has a variable, or names a file for it; an empty value counts as none."""
        return bool(self.environ.get(name) or self.environ.get(f"{name}_FILE"))

    def is_empty(self, name: str) -> bool:
        """Return whether a variable is set, in the environment or the env file, and has no value."""
        return not self.is_set(name) and "" in (self.environ.get(name), self.env_file.get(name))

    def variable_of(self, name: str) -> str:
        """Return the source of a value that is set: `NAME`, `NAME_FILE`, or `NAME in the env file`."""
        if self.environ.get(name):
            return name
        return f"{name}_FILE" if self.environ.get(f"{name}_FILE") else f"{name} in the env file"

    def peek(self, name: str) -> str | None:
        """Return a variable's value as `value` does, but None without a problem if it is unset or empty.

        Raises `InvalidValue`, and keeps no origin.
        """
        return self._look_up(name)[0]

    def value(self, name: str, problems: Problems) -> str | None:
        """Return a value that must be set; None, with a problem, if it is not."""
        try:
            value, origin = self._look_up(name)
        except InvalidValue as invalid:
            problems.add(invalid.code, invalid.message)
            return None
        if value is None:
            state = "set but empty" if self.is_empty(name) else "not set"
            cure = f"give it a value, or {name}_FILE the path of a file{unread_hint(name)}"
            problems.add("secret_missing", f"{name} is {state}; {cure}")
            return None
        self.origins[name] = origin
        if is_in_quotes(value):
            self.warnings.append(f"{name} {IN_QUOTES}")
        return value

    def secret(self, ref: SecretRef, problems: Problems, *, live: bool = True) -> Secret:
        """Return a secret and its previous value. One that cannot be used is a problem and empty."""
        current = self._checked(ref.env, problems, live=live)
        previous = self._checked(ref.previous, problems.at("previous"), live=live) if ref.previous else None
        if current and live and len(current) < WEAK_LENGTH:
            self.warnings.append(f"{ref.env} is shorter than {WEAK_LENGTH} characters")
        return Secret(ref.env, current, previous)

    def header(self, ref: SecretRef, problems: Problems, *, live: bool = True) -> str:
        """Return a header's value, which may have blanks inside: `Bearer …`."""
        return self._checked(ref.env, problems, live=live, form=_HEADER_VALUE)

    def _look_up(self, name: str) -> tuple[str | None, str]:
        """Return the value and where it comes from."""
        direct, file = self.environ.get(name), self.environ.get(f"{name}_FILE")
        if direct and file:
            raise InvalidValue("both_set", f"{name} and {name}_FILE are both set; keep one")
        if direct:
            return direct, f"environment {name}"
        if file:
            return _content_of(Path(file), name) or None, f"file named by {name}_FILE"
        return self.env_file.get(name) or None, f"env file {name}"

    def _checked(self, name: str, problems: Problems, *, live: bool, form: _Form = _TOKEN) -> str:
        value = self.value(name, problems)
        if value is None:
            return ""
        if not value.strip("'\""):
            problems.add("bad_secret", f"{name} holds nothing but quotes")
            return ""
        if not form.pattern.fullmatch(value):
            problems.add("bad_secret", f"{name} must be {form.description}")
            return ""
        if live and value.startswith(PLACEHOLDER_PREFIXES):
            problems.add("placeholder_secret", f"{name} holds a dry-run placeholder")
        return value


def is_in_quotes(value: str) -> bool:
    """Return whether a value begins and ends with the same quotation mark."""
    return len(value) > 1 and value[0] == value[-1] and value[0] in "'\""


def check_standard_webhooks_secret(secret: Secret, problems: Problems) -> None:
    """Add a problem if a `whsec_…` is not base64 of 24 to 64 bytes (Standard Webhooks). Any other value passes."""
    encoded = [value.removeprefix(ENCODED) for value in secret.active if value.startswith(ENCODED)]
    if not all(_is_base64_key(value) for value in encoded):
        problems.add("bad_secret", f"{secret.name} must be whsec_ followed by base64 of 24 to 64 bytes")


def _is_base64_key(value: str) -> bool:
    try:
        return MIN_KEY_BYTES <= len(base64.b64decode(value, validate=True)) <= MAX_KEY_BYTES
    except ValueError:
        return False


def _content_of(path: Path, name: str) -> str:
    """Return the content of a secret's file without one newline at its end, which an editor may have added."""
    try:
        text = read_regular_file(path, max_bytes=MAX_SECRET_BYTES).data.decode()
    except UnicodeDecodeError as error:
        raise InvalidValue("not_utf8", f"{name}_FILE: the file is not UTF-8") from error
    except InvalidValue as invalid:
        raise InvalidValue(invalid.code, f"{name}_FILE: {invalid.message}") from invalid
    return text.removesuffix("\n").removesuffix("\r")
