"""The types of start options: their names in the documentation, and how the text of a variable or flag is read."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from app.config.errors import InvalidValue
from app.config.hosts import is_host

T_co = TypeVar("T_co", covariant=True)

_DIGITS = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


class OptionType(ABC, Generic[T_co]):
    """The type of an option's value. `name` is its name in the documentation."""

    name: str

    @abstractmethod
    def parse(self, text: str) -> T_co:
        """Return the value of a variable's or flag's text. Raises `InvalidValue`."""


@dataclass(frozen=True)
class Text(OptionType[str]):
    """Any text. What it means is checked where it is used."""

    name: str

    def parse(self, text: str) -> str:
        return text


class Credential(Text):
    """A secret. It is looked up where it is needed, also in the file that `NAME_FILE` names, and never printed."""


@dataclass(frozen=True)
class Number(OptionType[int]):
    """A whole number within bounds, in plain digits: no sign, blank or leading zero."""

    low: int
    high: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.low}..{self.high}")

    def parse(self, text: str) -> int:
        if not (_DIGITS.fullmatch(text) and self.low <= int(text) <= self.high):
            raise InvalidValue("bad_form", f"must be a number from {self.low} to {self.high}, in digits only")
        return int(text)


class Switch(OptionType[bool]):
    """On or off. A variable is 1, or unset; 0 counts as unset."""

    name = "`1`"

    def parse(self, text: str) -> bool:
        if text not in ("0", "1"):
            raise InvalidValue("bad_form", "must be 1, or unset")
        return text == "1"


@dataclass(frozen=True)
class OneOf(OptionType[str]):
    """One of some words."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", " or ".join(f"`{word}`" for word in self.words))

    def parse(self, text: str) -> str:
        if text not in self.words:
            raise InvalidValue("bad_form", f"must be {' or '.join(self.words)}")
        return text


class FilePath(OptionType[Path]):
    """The path of a file or a folder."""

    name = "path"

    def parse(self, text: str) -> Path:
        return Path(text)


class HostName(OptionType[str]):
    """An IP address or a host name."""

    name = "host or address"

    def parse(self, text: str) -> str:
        if not is_host(text):
            raise InvalidValue("bad_form", "must be an IP address or a host name")
        return text
