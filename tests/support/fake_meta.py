"""The fake Meta: on a real socket, or called in process with a clock that stands and an outlet that remembers."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.graph.fake.accounts import Accounts, Number
from app.graph.fake.clock import MovableClock
from app.graph.fake.meta import Meta, make_meta
from app.graph.fake.routes import answer
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.state import MemoryState
from app.graph.fake.switches import set_switches
from app.graph.fake.webhooks import Change
from app.graph.fake.wire import Answer, Call
from tests.support.envelopes import NUMBER, WABA
from tests.support.live import LIVE_ENVIRONMENT

TOKEN = LIVE_ENVIRONMENT["TEST_ACCESS_TOKEN"]
ACCOUNTS = Accounts(
    numbers=(Number(NUMBER, WABA, "15550001111"), Number("9876543211", WABA, "15550001112")),
    app_secret=LIVE_ENVIRONMENT["TEST_APP_SECRET"],
    previous_app_secret=LIVE_ENVIRONMENT["TEST_OLD_APP_SECRET"],
    tokens=frozenset({TOKEN}),
)
AT = 1795000000.0


@dataclass
class RememberedOutlet:
    """Posts nothing. `planned`: changes with the seconds after which they would go out; `posted`: those at once;
    `asked`: the URLs of handshakes, which get `answer`."""

    planned: list[tuple[float, Change]] = field(default_factory=list)
    posted: list[Change] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: Callable[[str], tuple[int | None, bytes]] = lambda _: (404, b"")

    def plan(self, after: float, change: Change) -> None:
        self.planned.append((after, change))

    def post_now(self, change: Change) -> None:
        self.posted.append(change)

    def get(self, url: str) -> tuple[int | None, bytes]:
        self.asked.append(url)
        return self.answer(url)


class CalledMeta:
    """The fake, called in process."""

    def __init__(self, accounts: Accounts = ACCOUNTS) -> None:
        self.clock = MovableClock(AT)
        self.outlet = RememberedOutlet()
        self.meta: Meta = make_meta(accounts, MemoryState(), self.clock, self.outlet)

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = TOKEN, **query: str) -> Answer:
        """Call Graph; a body that is not bytes is sent as JSON."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        call = Call(method, path, query, {"content-type": "application/json", **headers}, data, version="v25.0")
        return answer(self.meta, call)

    def send(self, to: str = "+4915112345678", **fields: Any) -> Answer:
        """Send a message: a text unless the fields say otherwise; a field that is None is left out."""
        return self.ask("POST", f"{NUMBER}/messages", message(to, **fields))

    def switch(self, **changes: Any) -> None:
        """Set switches."""
        set_switches(self.meta.state, changes)

    @property
    def statuses(self) -> list[tuple[float, dict[str, Any]]]:
        """Return the statuses that are planned, each with its delay."""
        return [(after, status) for after, change in self.outlet.planned for status in change.value["statuses"]]


def message(to: str | None = "+4915112345678", **fields: Any) -> dict[str, Any]:
    """Return the body of a send: a text unless the fields say otherwise; a field that is None is left out."""
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "hi"}, **fields}
    if body["type"] != "text":
        body.pop("text")
    return {name: value for name, value in body.items() if value is not None}


def error_of(answer: Answer) -> dict[str, Any]:
    """Return the error of a refusal."""
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error


@contextlib.contextmanager
def fake_meta(
    callback_url: str | None = None, accounts: Accounts = ACCOUNTS, port: int = 0
) -> Iterator[FakeMetaServer]:
    """A fake Meta that listens while the block runs, and posts its webhooks to this URL."""
    server = FakeMetaServer(accounts, port=port)
    server.control.post_to(callback_url)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def bearer_of_meta(token: str = TOKEN) -> Mapping[str, str]:
    """Return the header of a caller of Graph."""
    return {"Authorization": f"Bearer {token}"}
