"""The parts of the fake, which every call uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.clock import Clock
from app.graph.fake.ids import Ids
from app.graph.fake.refusals import refuse
from app.graph.fake.state import State
from app.graph.fake.switches import NONE, Switches, read_switches
from app.graph.fake.webhooks import Change


class Outlet(Protocol):
    """Where webhooks go out."""

    def plan(self, after: float, change: Change) -> None:
        """Post a change in this many seconds."""
        ...

    def post_now(self, change: Change) -> None:
        """Post a change, and return once it was answered or given up."""
        ...

    def get(self, url: str) -> tuple[int | None, bytes]:
        """Return the status and the body of a GET, as the handshake makes it; no status without an answer."""
        ...


@dataclass(frozen=True)
class Meta:
    """Meta's side: what exists, what is remembered, what time it is, and the way to the gateway."""

    accounts: Accounts
    state: State
    clock: Clock
    ids: Ids
    outlet: Outlet
    at_start: Mapping[str, Any]

    @property
    def switches(self) -> Switches:
        """Return the current switches."""
        return read_switches(self.state, self.at_start)

    def number(self, number_id: str) -> Number:
        """Return a business number; raise `Refused` if there is none with this id."""
        number = self.accounts.number(number_id)
        if number is None:
            raise refuse("unknown_object", id=number_id)
        return number


def make_meta(
    accounts: Accounts,
    state: State,
    clock: Clock,
    outlet: Outlet,
    *,
    seed: str = "wats",
    switches: Mapping[str, Any] = NONE,
) -> Meta:
    """Return the fake with ids that this seed determines and this state counts, and with these switches at first."""

    def next_number(kind: str) -> int:
        return int(state.update("counter", kind, lambda number: (number or 0) + 1))

    return Meta(accounts, state, clock, Ids(seed, next_number), outlet, switches)
