"""The errors of the store. Drivers' exceptions are translated here; their texts, which may hold data, are dropped."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.store.engine import sqlite
from app.store.engine.sqlite_files import DatabaseFileReplaced, FileMissing, OrphanedWal

SQLITE_PRIMARY_CODE = 0xFF
SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB = 10, 11, 26
BROKEN_CODES = (SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB)
REASONS = {
    5: "the database is locked",
    6: "the database is locked",
    8: "the database is read-only",
    13: "the disk is full",
    14: "the database file cannot be opened",
}


class StoreUnavailable(Exception):
    """The store cannot do this now: locked, down, read-only, full or too busy. Nothing was stored; retry later."""


class StoreMissing(StoreUnavailable):
    """There is no database yet; `db upgrade` creates it."""


class ClaimLost(Exception):
    """The lease had expired and another worker has claimed the job. Nothing was stored."""


class StoreRefused(StoreUnavailable):
    """The database refused this data. A retry would fail again, but other data can be stored now."""


class StoreBroken(StoreUnavailable):
    """An I/O error, or another file in the database's place. What is on disk is unknown, so this process must end.

    An fsync is never retried: the kernel may report success for pages that it has dropped.
    """


@contextmanager
def translated() -> Iterator[None]:
    """Translate the driver's exceptions. The new message holds the reason, but no SQL, value or path."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("no connection to the database became free") from error
    except (DataError, IntegrityError) as error:
        raise StoreRefused("the database refused what it was given") from error
    except DBAPIError as error:
        raise _from_driver(error.orig) from error
    except sqlite.driver().Error as error:  # from the driver without SQLAlchemy
        raise _from_driver(error) from error
    except SQLAlchemyError as error:
        raise StoreUnavailable("the database refused") from error
    except OSError as error:
        raise _from_file(error) from error


def _from_file(error: OSError) -> StoreUnavailable:
    if isinstance(error, DatabaseFileReplaced):
        return StoreBroken("the database file, or its log, was moved or replaced while it was open")
    if isinstance(error, OrphanedWal):
        return StoreUnavailable("the database file is gone and its log is there; put the file back beside it")
    if isinstance(error, FileMissing):
        return StoreMissing("there is no schema; run db upgrade")
    return StoreUnavailable("the database's folder or file cannot be opened")


def _from_driver(error: BaseException | None) -> StoreUnavailable:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StoreUnavailable("the database does not answer or refused")
    primary = code & SQLITE_PRIMARY_CODE
    if primary in BROKEN_CODES:
        return StoreBroken("the database reports an I/O error or a damaged file")
    return StoreUnavailable(REASONS.get(primary, "the database refused"))
