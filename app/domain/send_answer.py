"""The result of one POST of a message to Meta.

The four cases differ in what may follow. Only `NotSent`, and a `Refused` whose error allows it, may lead to another
POST; after `Ambiguous` a second one could reach the customer twice.
"""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.meta.graph_errors import GraphError

MAX_RETRY_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Accepted:
    """Meta has accepted the message as `wamid`. `message_status` is Meta's word on a template that it holds.

    `wa_id` and `user_id` are the recipient's as Meta knows it; they may differ from what was sent.
    `second_wamid`: Meta's answer has two ids, so that it has accepted the message twice.
    """

    wamid: str
    wa_id: str | None = None
    user_id: str | None = None
    message_status: str | None = None
    second_wamid: str | None = None

    @property
    def wamids(self) -> tuple[str, ...]:
        """The ids that it names."""
        return (self.wamid,) if self.second_wamid is None else (self.wamid, self.second_wamid)

    @property
    def contact(self) -> dict[str, str]:
        """The recipient's ids under the names that Meta's answer has for them."""
        return {name: known for name, known in (("wa_id", self.wa_id), ("user_id", self.user_id)) if known}


@dataclass(frozen=True)
class Refused:
    """Meta has not accepted it. No `error`: a limiter in front of the Graph API has answered 429.

    `retry_after` is the delay that the answer asks for, an hour at most. `regain_minutes`: until the app or account
    may make calls of some kind again, whatever this call was refused for.
    """

    error: GraphError | None
    http_status: int
    retry_after: timedelta | None = None
    regain_minutes: int = 0

    @property
    def delay(self) -> timedelta:
        """The delay that the answer asks for; zero if it asks for none."""
        return self.retry_after or timedelta()

    @property
    def delay_of_calls(self) -> timedelta:
        """The delay if it was refused because calls are used up: until they are regained, an hour at most."""
        return max(self.delay, min(timedelta(minutes=self.regain_minutes), MAX_RETRY_AFTER))

    @property
    def reason(self) -> str:
        """The error as a text, or the status."""
        return f"HTTP {self.http_status}" if self.error is None else self.error.summary


@dataclass(frozen=True)
class NotSent:
    """The whole request has certainly not reached Meta. `reason` is a stable phrase.

    `is_given_up`: by us, because it may be another worker's by now; it says nothing about Meta.
    """

    reason: str
    is_given_up: bool = False


@dataclass(frozen=True)
class Ambiguous:
    """Meta may have accepted it: the answer was lost, or is none of the Graph API. `reason` is a stable phrase."""

    reason: str


GIVEN_UP = NotSent("its worker stood still until its claim was over", is_given_up=True)

SendAnswer = Accepted | Refused | NotSent | Ambiguous
