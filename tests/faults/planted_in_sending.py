"""Bugs of sending, each planted in a dying worker by its name."""

from collections.abc import Callable
from typing import Any


def resend_what_is_ambiguous() -> None:
    """A bug: a message whose answer was lost is taken for one that was not sent."""
    from app.domain.send_answer import Ambiguous, NotSent
    from app.messages import send

    def outcome(answer: Any, *arguments: Any, **options: Any) -> Any:
        return judge(NotSent(answer.reason) if isinstance(answer, Ambiguous) else answer, *arguments, **options)

    judge = send.outcome_of_send
    send.outcome_of_send = outcome


def resend_what_was_cut_off() -> None:
    """A bug: what was being sent when its worker died is taken for what still waits."""
    from app.store.transactions import end_unsent

    def ending(row: Any, *arguments: Any) -> Any:
        outcome = end(row, *arguments)
        return None if row is not None and row.status == "sending" else outcome

    end = end_unsent._ending
    end_unsent._ending = ending


def post_what_is_not_marked() -> None:
    """A bug: a message is not marked as being sent before its POST."""
    from app.store.transactions import reserve_sends

    reserve_sends.update_messages = lambda *_: None


def pace_of_each_process() -> None:
    """A bug: each process keeps the pace of a number for itself."""
    from app.domain.pacing import NumberPace
    from app.store.transactions import reserve_sends

    paces: dict[str, Any] = {}
    reserve_sends.read_number = lambda _, number: paces.get(number, NumberPace())
    reserve_sends.put_number = lambda _, number, pace: paces.update({number: pace})


def key_outside_the_transaction() -> None:
    """A bug: a key is looked up, and remembered, in transactions of its own."""
    from app.store.messages import Messages
    from app.store.transactions import reserve_keys

    def accept_by_itself(store: Any, new: Any) -> Any:
        reserve = reserve_keys.reserve_keys
        keys = [message.key.sha256 for message in new]
        known = store._store.database.read(lambda c: c.execute(reserve_keys._RESERVED, {"keys": keys}).first())
        if known is None:
            accept(store, [message._replace(key=None) for message in new])
            store._store.write(lambda c: reserve(c, store._store.now(c), new, new))

    accept = Messages.accept
    Messages.accept = accept_by_itself  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        resend_what_is_ambiguous,
        resend_what_was_cut_off,
        post_what_is_not_marked,
        pace_of_each_process,
        key_outside_the_transaction,
    )
}
