"""Mistakes in what the gateway is told, all of them at once: where, which kind, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """One mistake: a stable code, the path of the setting (or the variable or flag), a message without secrets."""

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.code}]"


class ConfigError(Exception):
    """The configuration cannot be used. A command that meets it ends with exit code 78."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Bad(Exception):
    """A value that is not what its key wants; becomes a `Mistake` once its path is known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def at(self, path: str) -> Mistake:
        """The mistake at this path."""
        return Mistake(self.code, path, self.message)
