"""Mistakes in what the gateway is told, all of them at once: where, which kind, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_NAME_LENGTH = 64


@dataclass(frozen=True)
class ConfigProblem:
    """One problem: a stable code, the path of the setting (or the variable or flag), a message without secrets.

    Whatever a file or a command line put into path or message is escaped: a message is always one line.
    """

    code: str
    path: str
    message: str
    file: str = ""

    def __post_init__(self) -> None:
        for name in ("path", "message", "file"):
            object.__setattr__(self, name, escaped(getattr(self, name)))

    def __str__(self) -> str:
        where = f"{self.file}: {self.path}" if self.file else self.path
        return f"{where}: {self.message} [{self.code}]"

    def in_file(self, file: object) -> "ConfigProblem":
        """The same problem, with the file in which it stands."""
        return replace(self, file=str(file))


class ConfigError(Exception):
    """The configuration cannot be used. A command that meets it ends with exit code 78."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidValue(Exception):
    """A value that is not what its key wants; becomes a `ConfigProblem` once its path is known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, path: str) -> ConfigProblem:
        """The problem at this path."""
        return ConfigProblem(self.code, path, self.message)


def escaped(text: str) -> str:
    """The text with every character that a terminal or a log would obey written out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def shortened(name: str) -> str:
    """A name from a file as a message may repeat it."""
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…"


def under(path: str, key: str) -> str:
    """The path of a key, shortened where somebody wrote a novel."""
    return f"{path}.{shortened(key)}" if path else shortened(key)
