"""Prunes old messages, their keys, conversations and the links between names."""

from datetime import datetime

from sqlalchemy import Connection

from app.store.deletion import delete_in
from app.store.repository import Repository
from app.store.transactions import prune_messages as prune
from app.store.transactions.prune import PruneStep
from app.store.transactions.prune_scopes import MAX_REFUSAL_DELAY, Ages, plan_scopes, prune_scopes


class MessageRetention(Repository):
    """Prunes messages. Each call does one small step and returns the position of the next."""

    def prune_messages(self, *, before: datetime, after: int) -> PruneStep:
        """Delete one batch of messages that were accepted before this time and are over."""
        planned = self._store.database.read(lambda c: prune.plan_messages(c, before, after))

        def delete(connection: Connection) -> int:
            return prune.prune_messages(connection, self._store.now(connection), planned.ids)

        return PruneStep(delete_in(self._store, delete, "work") if planned.ids else 0, planned.next)

    def prune_keys(self, *, before: datetime) -> PruneStep:
        """Delete one batch of idempotency keys that were reserved before this time."""
        return _until_none(delete_in(self._store, lambda c: prune.prune_keys(c, before)))

    def prune_early_statuses(self, kept: prune.EarlyStatusesKept, *, after: int) -> PruneStep:
        """Delete one batch of statuses whose message will not become known, and of those that are too many."""
        planned = self._store.database.read(lambda c: prune.plan_early_statuses(c, kept, after))
        deleted = delete_in(self._store, lambda c: prune.prune_early_statuses(c, planned.ids)) if planned.ids else 0
        return PruneStep(deleted, planned.next)

    def prune_pairs(self, *, before: datetime) -> PruneStep:
        """Delete some paces of customers that hold nothing back any more since this time."""
        return _until_none(delete_in(self._store, lambda c: prune.prune_pairs(c, before)))

    def prune_scopes(self, *, now: datetime, before: datetime, after: int) -> PruneStep:
        """Delete one batch of pauses that are over, and of wishes of before this time of customers who are gone."""
        ages = Ages(now - MAX_REFUSAL_DELAY, before)
        plan = self._store.database.read(lambda c: plan_scopes(c, ages, after))
        is_needed = plan.names or plan.without_contact
        deleted = delete_in(self._store, lambda c: prune_scopes(c, ages, plan)) if is_needed else 0
        return PruneStep(deleted, plan.next)

    def prune_conversations(self, *, before: datetime) -> PruneStep:
        """Delete one batch of conversations in which nothing has happened since this time."""
        return _until_none(delete_in(self._store, lambda c: prune.prune_conversations(c, before)))

    def prune_links(self) -> PruneStep:
        """Delete one batch of links to contacts without a conversation."""
        names = self._store.database.read(prune.lone_links)  # apart: on SQLite a write would wait for the search
        return _until_none(delete_in(self._store, lambda c: prune.prune_links(c, names)) if names else 0)


def _until_none(deleted: int) -> PruneStep:
    """Return the step. The next one needs no position: rows that were deleted are not found again."""
    return PruneStep(deleted, deleted or None)
