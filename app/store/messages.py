"""Messages: what the application wants sent, and how far it has come."""

import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from itertools import islice

from sqlalchemy import Connection

from app.domain.decision import Decision, DecisionStep, MessageSelection
from app.domain.event import Event
from app.domain.message import Acceptance, IdempotencyKey, Message, MessageStatus, NewMessage
from app.domain.message_hold import MessageHold
from app.domain.meta.event_types import is_inbound
from app.domain.meta.status_update import StatusUpdate
from app.store.engine.group_commit import Drain, GroupCommit
from app.store.repository import Repository, StoreContext
from app.store.tables.conversations import every_contact_number
from app.store.tables.events import get_event, key_of
from app.store.tables.held_messages import holds_of_messages
from app.store.tables.inbound_messages import inbound_by_wamid
from app.store.tables.message_list import MessagePage, MessageQuery, page_both_ways
from app.store.tables.message_selection import select_messages
from app.store.tables.messages import (
    MessageCounts,
    MessageFilter,
    answered_messages,
    body_of,
    count_messages,
    key_of_message,
    message_by_wamid,
    messages_by_key,
    page_of_messages,
)
from app.store.tables.types import MAX_ROW_ID
from app.store.transactions.accept_messages import accept_messages
from app.store.transactions.apply_statuses import apply_statuses
from app.store.transactions.decide_messages import decide_messages
from app.store.transactions.reserve_keys import forget_key

VISIBLE = re.compile(r"[!-~]{1,1024}", re.ASCII)
"""The form of a wamid. PostgreSQL would refuse some of what is not of this form."""

Request = Sequence[NewMessage]
"""Messages that are accepted together, or not at all."""


class Messages(Repository):
    """Messages to customers."""

    def __init__(self, store: StoreContext) -> None:
        super().__init__(store)
        self._group: GroupCommit[Request, list[Acceptance]] | None = None

    def open(self, *, cooperative: bool) -> None:
        self._group = GroupCommit(self._write) if cooperative else None

    def close(self) -> None:
        if self._group is not None:
            self._group.close()
        self._group = None

    def accept(self, new: Request) -> list[Acceptance]:
        """Accept all of these messages in one transaction, with those of other greenlets. It is durable on return."""
        self._store.refuse_on_full_disk()
        if self._group is None:
            return self._write(lambda: [new])[0]
        return self._group.add(new, sum(len(message.body) for message in new))

    def forget_key(self, key: IdempotencyKey, message_id: str) -> None:
        """Free this key if it was used for this message: the next request with it is another one."""
        self._store.write(lambda c: forget_key(c, key.sha256, message_id), durable=False)

    def get(self, message_id: str) -> Message | None:
        """Return the message with this id, ours or Meta's."""
        key = key_of_message(message_id)
        if key is None:
            is_wamid = VISIBLE.fullmatch(message_id) is not None
            return self._store.database.read(lambda c: message_by_wamid(c, message_id)) if is_wamid else None
        return self._store.database.read(lambda c: messages_by_key(c, [key])).get(key)

    def holds(self, messages: Sequence[Message], account: str | None, token: str | None) -> dict[str, MessageHold]:
        """Return what holds back those of these messages that wait for it, by their ids; see `holds_of_messages`."""
        read = holds_of_messages
        return self._store.database.read(lambda c: read(c, self._store.now(c), messages, account, token))

    def answered(self, message_ids: Collection[str]) -> dict[str, Message]:
        """Return those of these messages of ours that are no longer queued or being sent, by their ids."""
        keys = [key for message_id in message_ids if (key := key_of_message(message_id)) is not None]
        return {message.id: message for message in self._store.database.read(lambda c: answered_messages(c, keys))}

    def get_inbound(self, message_id: str, phone_number_ids: Sequence[str]) -> Event | None:
        """Return the message of a customer with this id, its event's or Meta's, that one of these numbers has got."""
        key = key_of(message_id)
        if key is not None:
            event = self._store.database.read(lambda c: get_event(c, key))
            return event if event is not None and is_inbound(event.type) and not event.foreign else None
        if VISIBLE.fullmatch(message_id) is None:
            return None
        return self._store.database.read(lambda c: inbound_by_wamid(c, message_id, phone_number_ids))

    def both_ways(self, query: MessageQuery) -> MessagePage:
        """Return a page of the messages to customers and of customers, newest first."""
        return self._store.database.read(lambda c: page_both_ways(c, query))

    def trackers(self, keys: Collection[bytes]) -> dict[bytes, str | None]:
        """Return the clients' own trackers of these messages, by the 16 bytes of their ids."""
        found = self._store.database.read(lambda c: messages_by_key(c, keys))
        return {key: message.tracker for key, message in found.items()}

    def body(self, message_id: str) -> bytes | None:
        """Return the body of the message with this id of ours, as Meta gets it, without a tracker."""
        key = key_of_message(message_id)
        return None if key is None else self._store.database.read(lambda c: body_of(c, key))

    def cancel(self, message: Message) -> Message:
        """Cancel the message if it waits and no worker has claimed it, and return it as it is then."""
        return self._decide(message, Decision.CANCELLED)

    def resolve_as_failed(self, message: Message) -> Message:
        """Let the message fail if it is unknown, and return it as it is then."""
        return self._decide(message, Decision.FAILED)

    def send_again(self, message: Message, lifetime: timedelta) -> Message:
        """Queue the message again for this long if it is unknown, and return it as it is then."""
        return self._decide(message, Decision.RESEND, lifetime)

    def _decide(self, message: Message, decision: Decision, lifetime: timedelta = timedelta()) -> Message:
        return self._store.write(
            lambda c: decide_messages(c, self._store.now(c), [message], decision, lifetime)[0], "work", "messages"
        )

    def learn(self, statuses: Sequence[StatusUpdate]) -> None:
        """Record statuses from Meta's answer to a question, as if they had come by webhooks."""
        database_id = self._store.identity().id
        self._store.write(lambda c: apply_statuses(c, self._store.now(c), database_id, statuses), "work")

    def decide_some(
        self,
        selection: MessageSelection,
        decision: Decision,
        *,
        after: int,
        limit: int,
        is_trial: bool,
        lifetime: timedelta,
    ) -> DecisionStep:
        """Decide about those of the next `limit` messages that the selection chooses; a trial changes nothing.

        `lifetime`: that of a message that is sent again.
        """

        def decide(connection: Connection) -> DecisionStep:
            chosen, following = select_messages(connection, selection, decision, after, limit)
            settled_before = selection.settled_before
            ready = [one for one in chosen if settled_before is None or one.updated_at < settled_before]
            now = self._store.now(connection)
            decided = [] if is_trial else decide_messages(connection, now, ready, decision, lifetime)
            changed = sum(one.status is not decision.about for one in decided)
            return DecisionStep(len(ready), changed, len(chosen) - len(ready), following)

        return self._store.database.read(decide) if is_trial else self._store.write(decide, "work", "messages")

    def counts(self, unknown_for: timedelta) -> MessageCounts:
        """Count what needs a human: messages that are unknown for this long, and those that were sent twice."""
        return self._store.database.read(lambda c: count_messages(c, self._store.now(c) - unknown_for))

    def page(
        self,
        *,
        status: MessageStatus | None = None,
        contact: str | None = None,
        before: int = MAX_ROW_ID,
        limit: int,
    ) -> list[Message]:
        """Return messages from the newest to the oldest, with row ids below `before`; of a contact by any name."""

        def read(connection: Connection) -> list[Message]:
            contacts = None if contact is None else every_contact_number(connection, [contact])
            return page_of_messages(connection, MessageFilter(status, contacts, None, before, limit))

        return self._store.database.read(read)

    def _write(self, drain: Drain[Request]) -> list[list[Acceptance]]:
        def accept(connection: Connection) -> list[list[Acceptance]]:
            requests = drain()
            every = [message for request in requests for message in request]
            accepted = iter(accept_messages(connection, self._store.now(connection), every))
            return [list(islice(accepted, len(request))) for request in requests]

        return self._store.write(accept, "work")
