"""Conversations: numbers of ours and contacts that have written to each other."""

from collections.abc import Sequence
from datetime import datetime

from app.store.repository import Repository
from app.store.tables.conversations import (
    Conversation,
    ConversationPosition,
    Party,
    last_inbound,
    page_of_conversations,
)


class Conversations(Repository):
    """The conversations with customers."""

    def last_inbound(self, parties: Sequence[Party]) -> list[datetime | None]:
        """Return for each number and contact when the contact wrote or called last; None if that is not known."""
        return self._store.database.read(lambda c: last_inbound(c, parties))

    def page(self, *, before: ConversationPosition | None, limit: int) -> list[Conversation]:
        """Return conversations, the one with the latest message first; those behind a place in this order."""
        return self._store.database.read(lambda c: page_of_conversations(c, before, limit))
