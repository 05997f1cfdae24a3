"""What Meta restricts of an account holds back those messages, before the first one fails, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.domain.split import SplitEvent
from app.store import Store
from tests.store.test_store_content_scopes import HOUR, MINUTE, OTHER, SOMEBODY, hear, leaves, template
from tests.support.envelopes import WABA
from tests.support.events import new_event
from tests.support.messages import accept, new_message, webhook
from tests.support.sends import stored
from tests.support.work import Clock


def restricted(store: Store, clock: Clock, kind: str, hours: float | None = None, event: str = "") -> None:
    """Receive the restriction of our account for this long, or another event of the account."""
    expiration = {} if hours is None else {"expiration": int((clock.now + hours * HOUR).timestamp())}
    info = [{"restriction_type": kind, **expiration}]
    raw = {"event": event or "ACCOUNT_RESTRICTION", "restriction_info": info, "ban_info": {"waba_ban_state": kind}}
    made = new_event(f"{raw} {clock.now}", kind="account.update", raw=raw, wa_id=None)
    hear(store, SplitEvent(replace(made, waba_id=WABA, phone_number_id=None, occurred_at=clock.now)))


def write_in(store: Store, clock: Clock, to: str) -> None:
    """Let a customer write, which opens the window."""
    written = {"id": f"wamid.in{to}", "from": to.removeprefix("+"), "timestamp": str(int(clock.now.timestamp()))}
    hear(store, *webhook(messages=[{**written, "type": "text", "text": {"body": "hi"}}]))


def begun_by_us(to: str = OTHER) -> Any:
    return template("offer", to=to)._replace(window_exempt=True)


def test_a_restriction_of_what_the_business_begins_holds_that_back_until_it_expires(
    timed: Store, clock: Clock
) -> None:
    write_in(timed, clock, SOMEBODY)
    restricted(timed, clock, "RESTRICTED_BIZ_INITIATED_MESSAGING", 1)
    ours, reply, _, _ = accept(
        timed, begun_by_us(), begun_by_us(SOMEBODY), new_message(to="+4915177"), new_message(to=SOMEBODY)
    )

    assert [leaves(timed), leaves(timed)] == [2, 1]
    assert (stored(timed, ours).status, stored(timed, reply).status) == ("queued", "accepted")
    [pause] = timed.sending.pauses()
    assert (pause.name, pause.until) == (f"initiated:{WABA}", (clock.now + HOUR).replace(microsecond=0))
    clock.advance(HOUR + timedelta(seconds=1))
    assert (leaves(timed), timed.sending.pauses()) == (1, [])


def test_a_restriction_of_replies_holds_back_what_is_in_a_window(timed: Store, clock: Clock) -> None:
    write_in(timed, clock, SOMEBODY)
    restricted(timed, clock, "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
    ours, reply = accept(timed, begun_by_us(), new_message(to=SOMEBODY))
    assert leaves(timed) == 1
    assert (stored(timed, ours).status, stored(timed, reply).status) == ("accepted", "queued")
    clock.advance(MINUTE)

    restricted(timed, clock, "REINSTATE", event="DISABLED_UPDATE")

    assert (leaves(timed), timed.sending.pauses()) == (1, [])


def test_a_restriction_that_is_over_holds_nothing_back(timed: Store, clock: Clock) -> None:
    restricted(timed, clock, "RESTRICTED_BIZ_INITIATED_MESSAGING", -1)

    assert timed.sending.pauses() == []
