"""The switches of the fake: each is one way in which Meta can be less friendly. A config sets them at the start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from app.graph.fake.state import State

KIND, KEY = "switches", "all"
NONE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Switches:
    """How unfriendly the fake is now.

    Webhooks: `duplicates` more posts of each; `shuffle_seconds` within which their order is lost; `batch` updates in
    one, posted every `batch_seconds`; `rebatch` repeats each a second later, batched with others;
    `webhook_delay_seconds` before each; `retry_seconds` between the posts of one that is not answered 200. `pace` is
    a factor on the seconds between statuses, `answer_pace` on the seconds that slow answers take; `answer_seconds` is
    what every answer to a send takes. `connection`: what becomes of the callers' connections; those that are refused
    are taken again after `refuse_seconds`. What is open takes what is not known: a customer who never wrote, a
    template that was never created, a file that was never uploaded.
    """

    duplicates: int = 0
    shuffle_seconds: float = 0.0
    batch: int = 1
    batch_seconds: float = 5.0
    rebatch: bool = False
    webhook_delay_seconds: float = 0.0
    retry_seconds: tuple[float, ...] = (0.0, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
    signed: Literal["rightly", "by_previous", "wrongly", "not"] = "rightly"
    pace: float = 1.0
    answer_pace: float = 1.0
    answer_seconds: float = 0.0
    failed_without_tracker: bool = False
    failed_without_contacts: bool = False
    without_contacts: bool = False
    numbers_as_strings: bool = False
    old_pricing: bool = False
    unknown_fields: bool = False
    answered_version: str | None = None
    connection: Literal["ok", "refuse", "reset_before_headers", "reset_after_headers"] = "ok"
    refuse_seconds: float = 5.0
    number_rate: float | None = 80.0
    number_burst: int = 80
    pair_limit: bool = True
    no_payment: bool = False
    windows: Literal["open", "strict"] = "open"
    templates: Literal["open", "strict"] = "open"
    media: Literal["open", "strict"] = "open"
    has_history: bool = True


def read_switches(state: State, at_start: Mapping[str, Any] = NONE) -> Switches:
    """Return the current switches: as they were set, else as they were at the start."""
    return Switches(**{**at_start, **(state.get(KIND, KEY) or {})})


def set_switches(state: State, changes: Mapping[str, Any]) -> Switches:
    """Set some switches and leave the others; raise `ValueError` for one that there is not."""
    unknown = sorted(set(changes) - {field.name for field in fields(Switches)})
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}")
    state.update(KIND, KEY, lambda old: {**(old or {}), **changes})
    return read_switches(state)


def as_json(switches: Switches) -> dict[str, Any]:
    """Return the switches for an answer."""
    return asdict(switches)
