"""Values that keep how a file writes them, so that a message can show it."""

from collections.abc import Iterable
from typing import Self


class WrittenInt(int):
    """An integer and its text."""

    written: str

    @classmethod
    def of(cls, text: str, value: int) -> Self:
        number = cls(value)
        number.written = text
        return number


class WrittenFloat(float):
    """A fraction and its text."""

    written: str

    @classmethod
    def of(cls, text: str, value: float) -> Self:
        number = cls(value)
        number.written = text
        return number


class WrittenMapping(dict[str, object]):
    """A mapping, and its repeated keys. The first value of a repeated key counts."""

    repeated: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, object]]) -> Self:
        mapping, repeated = cls(), dict[str, None]()
        for key, value in pairs:
            if key in mapping:
                repeated[key] = None
            else:
                mapping[key] = value
        mapping.repeated = tuple(repeated)
        return mapping
