"""The in-process door of the fake: what dry-run has in the place of the client of the Graph API."""

from collections.abc import Callable
from datetime import UTC, datetime

from app.domain.send_answer import Ambiguous, SendAnswer
from app.domain.send_reply import send_answer
from app.graph.client import READ_SECONDS, TOTAL_SECONDS
from app.graph.fake.meta import Meta
from app.graph.fake.routes import answer
from app.graph.fake.wire import DRIP_SECONDS, Answer, Call

TOO_LATE = Ambiguous("no answer in time")
LOST = Ambiguous("connection lost before the whole answer")


class FakeGraphClient:
    """Sends to the fake, and reports what the real client would of such an answer. `sleep` waits for slow ones."""

    def __init__(self, meta: Meta, version: str, sleep: Callable[[float], object]) -> None:
        self._meta = meta
        self._version = version
        self._sleep = sleep

    def send(self, phone_number_id: str, endpoint: str, body: bytes) -> SendAnswer:
        """POST one message. `endpoint` is `messages` or `marketing_messages`."""
        headers = {"authorization": "Bearer dry-run", "content-type": "application/json"}
        found = answer(
            self._meta,
            Call("POST", f"{phone_number_id}/{endpoint}", headers=headers, body=body, version=self._version),
        )
        self._sleep(min(found.delay_seconds, READ_SECONDS))
        return self._arrived(found)

    def _arrived(self, found: Answer) -> SendAnswer:
        """Return what of an answer comes through its line."""
        drip = len(found.body) * DRIP_SECONDS if found.line == "drip" else 0
        if found.delay_seconds > READ_SECONDS or drip > TOTAL_SECONDS:
            return TOO_LATE
        if found.line in ("cut", "reset", "half"):
            return LOST
        now = datetime.fromtimestamp(self._meta.clock.now(), UTC)
        return send_answer(found.status, found.headers, found.body, now)
