"""Problems of a configuration: collected while it is read, reported together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

MAX_NAME_LENGTH = 64

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class ConfigProblem:
    """One problem: a stable code, the path of the setting (or the variable or flag), a message without secrets.

    Path and message may repeat text from a file or a command line. Unprintable characters in it are escaped, so that
    a problem is always one line.
    """

    code: str
    path: str
    message: str
    file: str = ""

    def __post_init__(self) -> None:
        for name in ("path", "message", "file"):
            object.__setattr__(self, name, _printable(getattr(self, name)))

    def __str__(self) -> str:
        where = f"{self.file}: {self.path}" if self.file else self.path
        return f"{where}: {self.message} [{self.code}]"


class ConfigError(Exception):
    """The configuration cannot be used. A command that meets it ends with exit code 78."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class InvalidValue(Exception):
    """Raised by a reader of one value, which does not know the path of the value. `Problems.read` adds it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Problems:
    """The collector that is passed down while a configuration is read.

    It adds problems at its path. `at`, `item`, `named` and `in_file` return a collector with another path that
    adds to the same list.
    """

    path: str = ""
    file: str = ""
    found: list[ConfigProblem] = field(default_factory=list)

    def at(self, key: str) -> "Problems":
        """Return the collector for a key below this path; a very long key is shortened."""
        name = shortened(key)
        return Problems(f"{self.path}.{name}" if self.path else name, self.file, self.found)

    def item(self, index: int) -> "Problems":
        """Return the collector for an item of the list at this path."""
        return Problems(f"{self.path}[{index}]", self.file, self.found)

    def named(self, name: str) -> "Problems":
        """Return the collector for a flag, a variable or a whole file."""
        return Problems(name, found=self.found)

    def in_file(self, file: object) -> "Problems":
        """Return the collector for the root of a config file."""
        return Problems(file=str(file), found=self.found)

    def add(self, code: str, message: str) -> None:
        """Add a problem at this path."""
        self.found.append(ConfigProblem(code, self.path, message, self.file))

    def read(self, reader: Callable[[], T], otherwise: D) -> T | D:
        """Return what the reader returns. If it raises `InvalidValue`, add that problem and return `otherwise`."""
        try:
            return reader()
        except InvalidValue as invalid:
            self.add(invalid.code, invalid.message)
            return otherwise

    def raise_if_any(self) -> None:
        """Raise `ConfigError` with every problem found, if there is one."""
        if self.found:
            raise ConfigError(self.found)


def shortened(name: str) -> str:
    """Return a name from a file as a message may repeat it."""
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
