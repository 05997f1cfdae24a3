"""The order of the tests: what takes long begins first, or one process would do it alone at the end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def long_first(items: Sequence[Item], is_long: Callable[[Item], bool], processes: int) -> list[Item]:
    """Return the items so that each process begins with its share of the long ones.

    pytest-xdist's `worksteal` gives each process one piece of the list: as long as what is left, divided by the
    processes that have none yet.
    """
    long = [item for item in items if is_long(item)]
    short = [item for item in items if not is_long(item)]
    ordered: list[Item] = []
    for position in range(processes):
        share = long[position::processes]
        size = (len(items) - len(ordered)) // (processes - position)
        fill = max(0, size - len(share))
        ordered += share + short[:fill]
        short = short[fill:]
    return ordered
