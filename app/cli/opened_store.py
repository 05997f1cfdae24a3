"""Serves the commands that open the database themselves: a store that is unavailable becomes one line.

Apart from `app.cli`, so that the other commands start without SQLAlchemy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.cli import CommandFailed, Misconfigured
from app.config import Settings, owner_of
from app.store import SchemaStatus, Store, StoreError, StoreNotOurs


@contextmanager
def reporting_store_errors(settings: Settings) -> Iterator[None]:
    """Raise CommandFailed for a store that is unavailable, and Misconfigured (78) for one of another gateway.

    The line names the variable or setting that says which database it is, and nothing of its URL.
    """
    source = settings.storage.source
    try:
        yield
    except StoreNotOurs as error:
        raise Misconfigured(f"{source}: {error.for_operator}") from error
    except StoreError as error:
        raise CommandFailed(f"the store is unavailable: {error.for_operator} (see {source})") from error


def store_to_upgrade(settings: Settings, *, adopts: bool = False) -> Store:
    """Return a store that is only good for its upgrade. `adopts`: the operator says that the database is ours."""
    owner = replace(owner_of(settings), adopts=adopts)
    return Store(settings.storage.url, min_free_bytes=0, cooperative=False, owner=owner)


def require_compatible(status: SchemaStatus) -> None:
    """Raise CommandFailed unless this code can use the schema."""
    if status.compatible:
        return
    if (status.version or "") > status.head:
        raise CommandFailed(
            f"the schema {status.version} is newer than this code can use ({status.head}); run newer code"
        )
    raise CommandFailed(f"the schema is not at {status.head}; run `flask wats db upgrade`")
