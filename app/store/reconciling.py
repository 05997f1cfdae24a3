"""Which messages Meta is to be asked about because their statuses have not come, and its answers about them."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from app.domain.meta.status_update import StatusUpdate
from app.domain.reconciling import Candidate, Round, RoundStep
from app.store.repository import Repository
from app.store.tables.reconciling import find_candidate, move_cursor
from app.store.transactions.apply_statuses import apply_statuses


class Reconciling(Repository):
    """How far the rounds of `app.domain.reconciling` have come. The owner of the job `reconcile` moves them on."""

    def find(self, round_: Round, numbers: Collection[str]) -> RoundStep:
        """Look at the next messages of a round, a bounded number, and return what is to be asked now.

        `numbers`: whose messages are asked about. The round is moved on in a transaction of its own, if it moves.
        """
        found, passed = self._store.database.read(
            lambda c: find_candidate(c, self._store.now(c), round_, numbers),
        )
        if passed is not None:
            self._store.write(lambda c: move_cursor(c, round_.number, passed), durable=False)
        return found

    def record(self, round_: Round, candidate: Candidate, statuses: Sequence[StatusUpdate]) -> None:
        """Record Meta's answer about a message, as if it had come by webhooks, and let the round go on behind it."""
        database_id = self._store.identity().id

        def record(connection: Connection) -> None:
            apply_statuses(connection, self._store.now(connection), database_id, statuses)
            move_cursor(connection, round_.number, candidate.row_id)

        self._store.write(record, "work")
