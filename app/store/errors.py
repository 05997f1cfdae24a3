"""What can go wrong with the store, in our words. Foreign exceptions end here; their texts never leave the room."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.store import sqlite

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
    except sqlite.FileMoved as error:
        raise StoreBroken("the database file was moved or replaced while it was open") from error
    except OSError as error:
        raise StoreUnavailable("the database's folder or file cannot be opened") from error


def _ours(error: BaseException | None) -> StoreUnavailable:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StoreUnavailable("the database does not answer or refused")
    primary = code & SQLITE_PRIMARY_CODE
    if primary in BROKEN_CODES:
        return StoreBroken("the database reports an I/O error or a damaged file")
    return StoreUnavailable(REASONS.get(primary, "the database refused"))
