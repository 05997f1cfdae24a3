"""The values of the start options, as flags and environment variables give them. None of them is a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.config.errors import InvalidValue, Problems
from app.config.option_types import Credential, Text
from app.config.start_options import HANDED_DOWN, OPTIONS, PORT, StartOption

T = TypeVar("T")

_KEYWORDS = {option.keyword: option for option in OPTIONS if option.flag}
_KUBERNETES_LINK = re.compile(r"(?:tcp|udp|sctp)://.*", re.ASCII)


class Flags:
    """The flags of a command line, by the names that click gives them: `Flags(port=8080, dry_run=True)`.

    `listens` is False for a command that opens no port. It needs no `$PORT`, which platforms give to web processes
    only.
    """

    def __init__(self, *, listens: bool = True, **given: Any) -> None:
        if unknown := given.keys() - _KEYWORDS.keys():
            raise TypeError(f"no start option has such a flag: {', '.join(sorted(unknown))}")
        self.listens = listens
        self._given = {name: value for name, value in given.items() if value is not None and value is not False}

    def get(self, option: StartOption[T]) -> Any:
        """Return the given value of an option; None if none was given."""
        return self._given.get(option.keyword) if option.flag else None


@dataclass(frozen=True)
class Sourced(Generic[T]):
    """A value and its source: a flag, a variable, the config or `default`."""

    value: T
    source: str


class StartValues:
    """Every start option's value with its source."""

    def __init__(self, values: Mapping[StartOption[Any], Sourced[Any]]) -> None:
        self._values = dict(values)

    def __getitem__(self, option: StartOption[T]) -> T:
        value: T = self._values[option].value
        return value

    def source(self, option: StartOption[Any]) -> str:
        """Return where an option's value comes from."""
        return self._values[option].source

    def has_flag(self, option: StartOption[Any]) -> bool:
        """Return whether an option's flag was given."""
        return self.source(option).startswith("flag")

    def is_given(self, option: StartOption[Any]) -> bool:
        """Return whether an option's flag or variable was given."""
        return self.has_flag(option) or self.source(option).startswith("environment")

    def with_changes(self, changes: Mapping[StartOption[Any], Sourced[Any]]) -> "StartValues":
        """Return a copy with the changed values replaced."""
        return StartValues({**self._values, **changes})

    def as_variables(self) -> dict[str, str]:
        """Return the values as the environment in which a process loads the same ones."""
        texts = {option.variable: _text(self[option]) for option in HANDED_DOWN}
        return {variable: text for variable, text in texts.items() if text}


def read_values(flags: Flags, environ: Mapping[str, str], problems: Problems) -> StartValues:
    """Return every option's value but the credentials'. A wrong variable or flag is a problem and counts as unset."""
    options = [option for option in OPTIONS if not isinstance(option.type, Credential)]
    environ = _without_kubernetes_link(environ)
    given = {option.variable: option for option in options if option.variable and environ.get(option.variable)}
    from_variables = _read_variables(given, environ, problems)
    return StartValues({option: _value(option, flags, from_variables, problems) for option in options})


def _read_variables(
    options: Mapping[str, StartOption[Any]], environ: Mapping[str, str], problems: Problems
) -> Mapping[str, Any]:
    try:
        return {name: option.type.parse(environ[name]) for name, option in options.items()}
    except InvalidValue:
        from app.config.start.variables import read_variables  # here, because it imports much, and most need none

        return read_variables(options, environ, problems)


def _value(
    option: StartOption[Any], flags: Flags, from_variables: Mapping[str, Any], problems: Problems
) -> Sourced[Any]:
    from_variable = from_variables.get(option.variable)
    from_flag = flags.get(option)
    if from_flag == "" and isinstance(option.type, Text):
        from_flag = None  # as an unset variable
    if isinstance(from_flag, str):
        from_flag = problems.named(option.flag).read(lambda: option.type.parse(from_flag), None)
    if from_flag is not None:
        return Sourced(from_flag, f"flag {option.flag}")
    if from_variable is not None:
        return Sourced(from_variable, f"environment {option.variable}")
    return Sourced(option.default, "default")


def _without_kubernetes_link(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment without WATS_PORT=tcp://…, which Kubernetes sets in every pod for a Service `wats`."""
    if not _KUBERNETES_LINK.fullmatch(environ.get(PORT.variable, "")):
        return environ
    return {name: value for name, value in environ.items() if name != PORT.variable}


def _text(value: Any) -> str:
    """Return the text of a variable with this value; empty if it is unset or off."""
    return "1" if value is True else "" if value in (None, False) else str(value)
