"""The errors of the store. Drivers' exceptions are translated here.

The text of an exception that may hold data, such as PostgreSQL's `DETAIL: Key (…)=(…)`, is dropped: nothing logs it.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EIO, ENOSPC

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.domain.database_identity import Refusal
from app.log import Throttle
from app.store.engine import postgres_errors, sqlite
from app.store.engine.postgres import NotUtf8
from app.store.engine.postgres_pooler import TransactionPooler
from app.store.engine.sqlite_files import DatabaseFileReplaced, FileMissing, OrphanedWal

log = logging.getLogger(__name__)

PRIMARY_CODE_MASK = 0xFF
NOT_UTF8 = "the database does not store text as UTF-8; create one with ENCODING 'UTF8' TEMPLATE template0"
TRANSACTION_POOLER = (
    "the database's URL leads to a transaction pooler (PgBouncer in transaction mode, a pooled URL), which gives a"
    " connection no session of its own; use the database's direct URL, or a pooler in session mode"
)
IO_ERROR = "the database reports an I/O error; its disk may be failing"
BROKEN = {
    sqlite3.SQLITE_IOERR: IO_ERROR,
    sqlite3.SQLITE_CORRUPT: "the database file is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "the database file holds no SQLite database; restore a backup, or name another file",
}
REASONS = {
    sqlite3.SQLITE_BUSY: "the database is locked",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_READONLY: "the database is read-only",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
}
FOLDER = "the database's folder or file cannot be opened"
FREE_IT = (
    "another process holds the file, such as a backup or `sqlite3` (`fuser FILE` shows it): end it, or let it finish"
)
OWN_IT = "let the user that wats runs as read and write the file and its folder"
CURES = {
    REASONS[sqlite3.SQLITE_BUSY]: FREE_IT,
    REASONS[sqlite3.SQLITE_READONLY]: OWN_IT,
    REASONS[sqlite3.SQLITE_FULL]: "free some space",
    REASONS[sqlite3.SQLITE_CANTOPEN]: OWN_IT,
    FOLDER: OWN_IT,
}

_internal_errors = Throttle()


def cure_of_reason(reason: str) -> str | None:
    """Return the cure for a reason why a SQLite file cannot be used; None for an unknown reason."""
    return CURES.get(reason)


class StoreError(Exception):
    """The store has not done this. Any stranger may read the message; `for_operator` is for the log and commands."""

    @property
    def for_operator(self) -> str:
        """Return why, with the cure."""
        return str(self)


class StoreUnavailable(StoreError):
    """The store cannot do this now: locked, down, read-only, full or too busy. Retry later.

    Nothing was stored, unless PostgreSQL's connection was lost during COMMIT: then the caller cannot know.
    """

    @property
    def for_operator(self) -> str:
        """Return why, with the cure where there is one."""
        return "; ".join(filter(None, (str(self), cure_of_reason(str(self)))))


class StoreRefused(StoreError):
    """The database refused this data. A retry would fail again, but other data can be stored now."""


class StoreUnreachable(StoreUnavailable):
    """PostgreSQL refuses, or is not reached; only the operator learns why.

    `is_passing`: that may end by itself, when server and gateway have just been started together.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("the database does not answer or reported an error")
        self._reason = reason
        self.is_passing = reason in postgres_errors.PASSING

    @property
    def for_operator(self) -> str:
        """Return why, with the cure."""
        return self._reason


class StoreMissing(StoreUnavailable):
    """There is no database yet; `flask wats db upgrade` creates it."""


class StoreNotOurs(StoreUnavailable):
    """The database is another gateway's."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal

    @property
    def for_operator(self) -> str:
        """Return why, with the cure and the code."""
        return f"{self}; {self.refusal.cure} [{self.refusal.code}]"


class ClaimLost(Exception):
    """The lease expired and another worker claimed the job. Nothing was stored."""


class StoreBroken(StoreUnavailable):
    """An I/O error, or another file in the database's place. What is on disk is unknown, so this process must end.

    An fsync is never retried: the kernel may report success for pages that it has dropped.
    """


@contextmanager
def translating_errors() -> Iterator[None]:
    """Translate the driver's exceptions. The new message holds the reason, but no SQL, value or path."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("no connection to the database became free") from error
    except TransactionPooler as error:
        raise StoreUnavailable(TRANSACTION_POOLER) from error
    except NotUtf8 as error:
        raise StoreUnavailable(NOT_UTF8) from error
    except StatementError as error:
        translated = _from_statement(error)
        raise translated from (None if isinstance(translated, StoreRefused) else error)
    except sqlite.driver().Error as error:  # raised by our own calls of the driver
        raise _from_driver(error) from error
    except SQLAlchemyError as error:
        raise StoreUnavailable("the database reported an error") from error
    except OSError as error:
        raise _from_file(error) from error


@contextmanager
def refusing_internal_errors() -> Iterator[None]:
    """Raise `StoreRefused` for an internal error in storing data too, such as a text that the driver cannot encode.

    It would come again with each retry, and hold up what is stored behind this data. Its trace is logged.
    """
    try:
        yield
    except (StoreError, ClaimLost):
        raise
    except Exception as error:
        reason = type(error).__name__
        repeats = _internal_errors.repeats(reason)
        if repeats is not None:
            log.exception("store.failed", extra={"reason": reason, "repeats": repeats or None})
        raise StoreRefused(f"this cannot be stored (internal error: {reason})") from error


def _from_file(error: OSError) -> StoreUnavailable:
    if error.errno == EIO:
        return StoreBroken(IO_ERROR)
    if error.errno in (ENOSPC, EDQUOT):
        return StoreUnavailable(REASONS[sqlite3.SQLITE_FULL])
    if isinstance(error, DatabaseFileReplaced):
        return StoreBroken("the database file, or its log, was moved or replaced while it was open")
    if isinstance(error, OrphanedWal):
        return StoreUnavailable(
            "the database file is gone and its -wal file is there; put the database file back beside it"
        )
    if isinstance(error, FileMissing):
        return StoreMissing("there is no schema; run `flask wats db upgrade`")
    return StoreUnavailable(FOLDER)


def _from_statement(error: StatementError) -> StoreError:
    if _is_refusal(error):
        return StoreRefused(f"the database refused what it was given ({_kind_of(error.orig)})")
    return _from_driver(error.orig)


def _is_refusal(error: StatementError) -> bool:
    """Return whether the data is to blame: the database says so, or a value cannot be passed to the driver."""
    if not isinstance(error, DBAPIError):
        return not isinstance(error.orig, SQLAlchemyError)  # else it is about the connection
    if isinstance(error, (DataError, IntegrityError)) or postgres_errors.is_refusal(error.orig):
        return True
    has_code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorcode", None)
    is_of_driver = isinstance(error, (ProgrammingError, InterfaceError)) and not has_code
    return is_of_driver and not error.connection_invalidated


def _from_driver(error: BaseException | None) -> StoreUnavailable:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StoreUnreachable(postgres_errors.reason_of(error))
    primary = code & PRIMARY_CODE_MASK
    if primary in BROKEN:
        return StoreBroken(BROKEN[primary])
    return StoreUnavailable(REASONS.get(primary, "the database reported an error"))


def _kind_of(error: BaseException | None) -> str:
    """Return the driver's name for an error, such as SQLITE_CONSTRAINT or StringDataRightTruncation."""
    return str(getattr(error, "sqlite_errorname", type(error).__name__))
