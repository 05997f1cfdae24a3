"""What the commands that open the database themselves share: a store that is unavailable becomes one line.

Apart from `app.cli`, so that the other commands start without SQLAlchemy.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from app.cli import CommandFailed, Misconfigured
from app.config import Settings, owner_of
from app.store import SchemaStatus, Store, StoreNotOurs, StoreUnavailable


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
    except StoreUnavailable as error:
        raise CommandFailed(f"the store is unavailable: {error.for_operator} (see {source})") from error


def store_to_upgrade(settings: Settings, *, adopts: bool = False) -> Store:
    """Return a store that is only good for its upgrade. `adopts`: the operator says that the database is ours."""
    owner = replace(owner_of(settings), adopts=adopts)
    return Store(settings.storage.url, min_free_bytes=0, cooperative=False, owner=owner)


def other_workers(settings: Settings) -> list[str]:
    """Return the workers that are alive on this machine's SQLite file before we start one."""
    if settings.storage.kind != "sqlite":
        return []
    store = store_to_upgrade(settings)
    store.open()
    try:
        workers = store.heartbeats.of_kind("worker")
    finally:
        store.close()
    return [worker.process for worker in workers if worker.is_fresh(datetime.now(UTC)) and _may_run(worker.process)]


def _may_run(process: str) -> bool:
    """Return False for a process of this host that has ended without deleting its heartbeat."""
    host, _, pid = process.rpartition(":")
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True


def require_compatible(status: SchemaStatus) -> None:
    """Raise CommandFailed unless this code can use the schema."""
    if status.compatible:
        return
    if (status.version or "") > status.head:
        raise CommandFailed(
            f"the schema {status.version} is newer than this code can use ({status.head}); run newer code"
        )
    raise CommandFailed(f"the schema is not at {status.head}; run `flask wats db upgrade`")
