"""Long lists in pieces that one statement takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

CHUNK = 500


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The list in pieces; none if it is empty."""
    return (items[at : at + CHUNK] for at in range(0, len(items), CHUNK))
