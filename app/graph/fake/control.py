"""`/_fake/…`: how a test or a user changes the fake, and reads from it. Never mounted on a public address."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.graph.fake.acting import act
from app.graph.fake.clock import MovableClock
from app.graph.fake.journal import Journal
from app.graph.fake.meta import Meta
from app.graph.fake.nodes import NODE
from app.graph.fake.posting import Poster
from app.graph.fake.scripts import set_script
from app.graph.fake.state import MemoryState
from app.graph.fake.switches import as_json, set_switches
from app.graph.fake.wire import Answer, Call, json_answer

PREFIX = "_fake/"


@dataclass(frozen=True)
class Control:
    """The parts that can be changed."""

    meta: Meta
    state: MemoryState
    clock: MovableClock
    journal: Journal
    poster: Poster

    def answer(self, call: Call) -> Answer:
        """Answer a call below `/_fake/`; one that is not understood says why."""
        handler = HANDLERS.get((call.method, call.path.removeprefix(PREFIX)))
        if handler is None:
            return _refused("there are " + ", ".join(f"{method} /_fake/{name}" for method, name in HANDLERS), 404)
        try:
            body = json.loads(call.body) if call.body.strip() else {}
            return json_answer(handler(self, call, body))
        except (ValueError, KeyError, TypeError) as error:
            return _refused(f"{type(error).__name__}: {error}", 400)

    def reset(self) -> None:
        """Forget everything: messages, webhooks that are due, requests, scripts and switches."""
        self.poster.clear()
        self.state.clear()
        self.journal.clear()

    def post_to(self, url: str | None) -> None:
        """Post webhooks to this URL from now on; to none if it is None."""
        self.poster.url = url


def _refused(reason: str, status: int) -> Answer:
    return json_answer({"error": reason}, status)


def _requests(control: Control, call: Call, _: Any) -> Any:
    return {"requests": control.journal.entries(call.query.get("path"))}


def _reset(control: Control, _: Call, __: Any) -> Any:
    control.reset()
    return {"success": True}


def _script(control: Control, _: Call, body: dict[str, Any]) -> Any:
    """Set switches (`{"switches": {…}}`), a script (`{"recipient", "steps", "repeat"}`), or both."""
    if not {"switches", "recipient"} & set(body):
        raise ValueError("give `switches`, or `recipient` with `steps`")
    if "switches" in body:
        set_switches(control.meta.state, body["switches"])
    if "recipient" in body:
        is_repeated = bool(body.get("repeat", False))
        set_script(control.meta, body["recipient"], body["steps"], is_repeated=is_repeated)
    return {"switches": as_json(control.meta.switches)}


def _heal(control: Control, _: Call, __: Any) -> Any:
    control.meta.state.put("healed", "tokens", {"at": control.clock.now()})
    return {"success": True}


def _clock(control: Control, _: Call, body: dict[str, Any]) -> Any:
    control.clock.advance(float(body["advance"]))
    control.poster.wake()
    return {"now": control.clock.now()}


def _callback(control: Control, _: Call, body: dict[str, Any]) -> Any:
    control.post_to(body["url"])
    return {"success": True}


def _node(control: Control, _: Call, body: dict[str, Any]) -> Any:
    control.meta.state.put(NODE, str(body["id"]), dict(body["fields"]))
    return {"success": True}


def _customer(control: Control, call: Call, body: dict[str, Any]) -> Any:
    return {"id": act(control.meta, body, call.origin)}


def _state(control: Control, _: Call, __: Any) -> Any:
    messages = [message for _, message in control.meta.state.items("message")]
    trackers = Counter(message["tracker"] for message in messages if message["tracker"] is not None)
    return {
        "now": control.clock.now(),
        "messages": messages,
        "doubled": sorted(tracker for tracker, count in trackers.items() if count > 1),
        "pending_webhooks": control.poster.pending,
        "webhooks": [
            {"at": posted.at, "status": posted.status, "attempt": posted.attempt, "body": posted.body.decode()}
            for posted in list(control.poster.posted)
        ],
        "switches": as_json(control.meta.switches),
    }


HANDLERS: dict[tuple[str, str], Callable[[Control, Call, Any], Any]] = {
    ("GET", "requests"): _requests,
    ("GET", "state"): _state,
    ("POST", "reset"): _reset,
    ("POST", "script"): _script,
    ("POST", "heal"): _heal,
    ("POST", "clock"): _clock,
    ("POST", "customer"): _customer,
    ("POST", "callback"): _callback,
    ("POST", "node"): _node,
}
