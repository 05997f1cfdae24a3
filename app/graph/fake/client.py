"""A client that calls the fake in the same process: a dry-run has it in place of the client of the Graph API."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

from app.domain.send_answer import GIVEN_UP, Ambiguous, NotSent, SendAnswer
from app.domain.send_reply import send_answer
from app.graph.call import (
    READ_SECONDS,
    TOTAL_SECONDS,
    GraphReply,
    GraphRequest,
    GraphUnreachable,
    given_headers,
    sent_headers,
)
from app.graph.fake.meta import Meta
from app.graph.fake.routes import answer
from app.graph.fake.wire import DRIP_SECONDS, Answer, Call

TOO_LATE = Ambiguous("no answer in time")
BROKEN = ("cut", "reset", "half")
LOST = Ambiguous("connection lost before the whole answer")
REFUSED = "connection refused"
NEVER_ARRIVED: dict[str, SendAnswer] = {"refuse": NotSent(REFUSED), "reset_before_headers": LOST}
"""How a send ends if nothing of it reaches Meta, by the value of the switch `connection`."""


class FakeGraphClient:
    """Calls the fake, and reports its answers as the real client would. `sleep` waits for slow answers."""

    def __init__(self, meta: Meta, version: str, sleep: Callable[[float], object]) -> None:
        self._meta = meta
        self._version = version
        self._sleep = sleep

    def send(
        self, phone_number_id: str, endpoint: str, body: bytes, may_still_write: Callable[[], bool]
    ) -> SendAnswer:
        """POST one message, if `may_still_write` allows it. `endpoint` is `messages` or `marketing_messages`."""
        if not may_still_write():
            return GIVEN_UP
        connection = self._meta.switches.connection
        if connection in NEVER_ARRIVED:
            return NEVER_ARRIVED[connection]
        headers = {"authorization": "Bearer dry-run", "content-type": "application/json"}
        meta_answer = answer(
            self._meta,
            Call("POST", f"{phone_number_id}/{endpoint}", headers=headers, body=body, version=self._version),
        )
        self._sleep(min(meta_answer.delay_seconds, READ_SECONDS))
        return LOST if connection == "reset_after_headers" else self._received(meta_answer)

    def call(self, request: GraphRequest) -> GraphReply:
        """Make one call; raise `GraphUnreachable` as the real client does."""
        headers = {name.lower(): value for name, value in sent_headers(request.headers).items()}
        call = Call(
            request.method,
            unquote(request.path),
            dict(parse_qsl(request.query, keep_blank_values=True)),
            {**headers, "authorization": f"{request.scheme} dry-run"},
            request.body if isinstance(request.body, bytes) else b"".join(request.body),
            request.version or self._version,
        )
        return self._reply(call)

    def download(self, url: str) -> GraphReply:
        """Get the bytes at an address from the fake."""
        split = urlsplit(url)
        query = dict(parse_qsl(split.query, keep_blank_values=True))
        headers = {"authorization": "Bearer dry-run"}
        return self._reply(Call("GET", unquote(split.path.lstrip("/")), query, headers))

    def _reply(self, call: Call) -> GraphReply:
        connection = self._meta.switches.connection
        if connection == "refuse":
            raise GraphUnreachable(REFUSED, was_sent=False)
        meta_answer = answer(self._meta, call)
        self._sleep(min(meta_answer.delay_seconds, READ_SECONDS))
        if meta_answer.delay_seconds > READ_SECONDS:
            raise GraphUnreachable("no answer in time")
        if meta_answer.line in BROKEN or connection != "ok":
            raise GraphUnreachable("connection lost before the whole answer")
        return GraphReply(
            meta_answer.status, given_headers(list(meta_answer.headers.items())), iter([meta_answer.body])
        )

    def _received(self, meta_answer: Answer) -> SendAnswer:
        """Return how the send ends: with the answer, unless the simulated connection breaks or is too slow."""
        drip = len(meta_answer.body) * DRIP_SECONDS if meta_answer.line == "drip" else 0
        if meta_answer.delay_seconds > READ_SECONDS or drip > TOTAL_SECONDS:
            return TOO_LATE
        if meta_answer.line in BROKEN:
            return LOST
        now = datetime.fromtimestamp(self._meta.clock.now(), UTC)
        return send_answer(meta_answer.status, meta_answer.headers, meta_answer.body, now)
