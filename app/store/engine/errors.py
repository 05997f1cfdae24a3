"""What can go wrong with the store, in our words. Foreign exceptions end here; their texts never leave the room."""

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
    """The store cannot do it now: locked, down, read-only, full or too busy. Nothing was stored; try again."""


class StoreMissing(StoreUnavailable):
    """There is no database yet: it is made with its schema."""


class ClaimLost(Exception):
    """Somebody else has claimed the job since: its lease had run out. Nothing was stored."""


class StoreRefused(StoreUnavailable):
    """The database minds what it was given, not the moment: something else may well be taken now."""


class StoreBroken(StoreUnavailable):
    """An I/O error, or another file in the database's place: what is on disk is unknown to this process, which must
    end. An fsync is never tried again."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's exceptions into ours, telling the reason but neither SQL, values nor places."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("no connection to the database became free") from error
    except (DataError, IntegrityError) as error:
        raise StoreRefused("the database refused what it was given") from error
    except DBAPIError as error:
        raise _ours(error.orig) from error
    except sqlite.driver().Error as error:  # where the driver is used without SQLAlchemy
        raise _ours(error) from error
    except SQLAlchemyError as error:
        raise StoreUnavailable("the database refused") from error
    except OSError as error:
        raise _of_the_file(error) from error


def _of_the_file(error: OSError) -> StoreUnavailable:
    if isinstance(error, DatabaseFileReplaced):
        return StoreBroken("the database file, or its log, was moved or replaced while it was open")
    if isinstance(error, OrphanedWal):
        return StoreUnavailable("the database file is gone and its log is there; put the file back beside it")
    if isinstance(error, FileMissing):
        return StoreMissing("there is no schema; run db upgrade")
    return StoreUnavailable("the database's folder or file cannot be opened")


def _ours(error: BaseException | None) -> StoreUnavailable:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StoreUnavailable("the database does not answer or refused")
    primary = code & SQLITE_PRIMARY_CODE
    if primary in BROKEN_CODES:
        return StoreBroken("the database reports an I/O error or a damaged file")
    return StoreUnavailable(REASONS.get(primary, "the database refused"))
