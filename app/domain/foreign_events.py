"""Where foreign events come from: a number or an account that the config does not list."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.domain.subscription import Ours

TOLD_FOR, TEST_TOLD_FOR = timedelta(days=1), timedelta(hours=1)
TEST_BUTTON = ("0", "123456123")
"""The account and the number in what the "Test" button of Meta's dashboard sends. Source: the dashboard itself."""


@dataclass(frozen=True)
class ForeignSource:
    """An account and a number, `count` of their events, and when the first and the last of these came."""

    waba_id: str | None
    phone_number_id: str | None
    count: int
    since: datetime
    last_at: datetime

    @property
    def is_test_button(self) -> bool:
        """Whether Meta's dashboard sent it."""
        return (self.waba_id, self.phone_number_id) == TEST_BUTTON or self.phone_number_id == TEST_BUTTON[1]

    def needs_a_look(self, now: datetime, ours: Ours) -> bool:
        """Return whether it is still foreign, and events came lately."""
        told_for = TEST_TOLD_FOR if self.is_test_button else TOLD_FOR
        return now - self.last_at < told_for and not ours.has_source(self.waba_id, self.phone_number_id)


def sources_of(latest: Iterable[tuple[str | None, str | None, datetime]]) -> list[ForeignSource]:
    """Return the sources of foreign events, of which account, number and time are given, the latest first."""
    sources: dict[tuple[str | None, str | None], ForeignSource] = {}
    for waba_id, number, at in latest:
        known = sources.get((waba_id, number))
        sources[waba_id, number] = (
            replace(known, count=known.count + 1, since=at) if known else ForeignSource(waba_id, number, 1, at, at)
        )
    return list(sources.values())
