"""Events: what happened, in the order it came in."""

from collections.abc import Sequence

from app.domain.event import Event
from app.store.event_reading import EventCounts, count_events, get_event, latest_sequence, next_events
from app.store.event_rows import key_of
from app.store.front import Front


class Events(Front):
    """What happened, in the order it came in."""

    def get(self, event_id: str) -> Event | None:
        """The event with this id, if there is one."""
        key = key_of(event_id)
        return None if key is None else self._store.database.read(lambda c: get_event(c, key))

    def after(self, sequence: int, *, types: Sequence[str] = (), limit: int) -> list[Event]:
        """The next events, oldest first, of types that one of the globs stands for; fewer where they are large."""
        return self._store.database.read(lambda c: next_events(c, sequence, types, limit))

    def latest(self) -> int:
        """The highest sequence; 0 if there is no event."""
        return self._store.database.read(latest_sequence)

    def counts(self) -> EventCounts:
        """How many events there are."""
        return self._store.database.read(count_events)
