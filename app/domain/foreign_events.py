"""Where foreign events come from: a number or an account that the config does not list."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.subscription import Ours

ALERT_FOR, TEST_ALERT_FOR = timedelta(days=1), timedelta(hours=1)
"""How long after its last event a source is an alert; one of the "Test" button for a shorter time."""

TEST_BUTTON = ("0", "123456123")
"""The account and the number in what the "Test" button of Meta's dashboard sends. Source: the dashboard itself."""


@dataclass(frozen=True)
class ForeignSource:
    """An account and a number that the config does not list, and when the first and last of `count` events came."""

    waba_id: str | None
    phone_number_id: str | None
    count: int
    since: datetime
    last_at: datetime

    @property
    def is_test_button(self) -> bool:
        """Whether the events come from the "Test" button of Meta's dashboard."""
        return (self.waba_id, self.phone_number_id) == TEST_BUTTON or self.phone_number_id == TEST_BUTTON[1]

    def needs_a_look(self, now: datetime, ours: Ours) -> bool:
        """Return whether the source is still foreign and sent an event lately."""
        alert_for = TEST_ALERT_FOR if self.is_test_button else ALERT_FOR
        return now - self.last_at < alert_for and not ours.has_source(self.waba_id, self.phone_number_id)


def sources_of(latest: Iterable[tuple[str | None, str | None, datetime]]) -> list[ForeignSource]:
    """Group foreign events by their source. `latest`: account, number and time of each event, the latest first."""
    sources: dict[tuple[str | None, str | None], ForeignSource] = {}
    for waba_id, number, at in latest:
        known = sources.get((waba_id, number))
        sources[waba_id, number] = (
            replace(known, count=known.count + 1, since=at) if known else ForeignSource(waba_id, number, 1, at, at)
        )
    return list(sources.values())
