"""Checks of the database and its disk. They create nothing; the trial write is rolled back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.cli.doctor.finding import Finding, error, fine, warning
from app.config import Settings, owner_of
from app.config.data_folder import why_unwritable
from app.config.schema.databases import path_in
from app.config.start_options import DATA_DIR
from app.store import SchemaStatus, Store, StoreError, cure_of_reason

MEGABYTE = 1024 * 1024
COMFORTABLE_MEGABYTES = 2048
OK = "ok"


def database(settings: Settings) -> Iterator[Finding]:
    """Connect; check that the schema fits, that the database accepts writes, and that the disk has room."""
    source, file = settings.storage.source, path_in(settings.storage.url)
    if file is not None:
        yield disk(file, settings.storage.min_free_megabytes)
    why = None if file is None else why_unwritable(file, shows_path=source == DATA_DIR.variable)
    if why is not None:
        yield error("database", why, f"see {source}")
        return
    store = Store(settings.storage.url, min_free_bytes=0, cooperative=False, source=source, owner=owner_of(settings))
    try:
        store.open()
        status = store.schema_status()
        if status.version is None:
            store.refuse_foreign_tables()
        yield schema(store, status)
    except StoreError as failure:
        yield error("database", *_problem_and_cure(failure.for_operator, f"see {source}"))
    finally:
        store.close()


def disk(file: Path, min_free_megabytes: int) -> Finding:
    """Check the free space beside a SQLite file: below the minimum no webhook is accepted."""
    folder = next(path for path in file.parents if path.exists())
    free = shutil.disk_usage(folder).free // MEGABYTE
    text = f"{free} MB free beside the database"
    if free < min_free_megabytes:
        cure = f"free some space, or move ${DATA_DIR.variable}"
        return error("disk", f"{text}: below {min_free_megabytes} MB webhooks are refused", cure)
    if free < COMFORTABLE_MEGABYTES:
        return warning("disk", text, f"below {min_free_megabytes} MB webhooks are refused: free some space")
    return fine("disk", text)


def schema(store: Store, status: SchemaStatus) -> Finding:
    """Judge the schema of an open store; if it fits, check that the database accepts writes."""
    name = f"{store.kind}, schema {status.version or 'none'}, head {status.head}"
    if status.version is None:
        return fine("database", f"{name}: `serve` or `flask wats db upgrade` creates it")
    if not status.compatible and status.version > status.head:
        return error("database", f"{name}: it is newer than this code", "run the newer code")
    if not status.compatible:
        return error("database", name, "run `flask wats db upgrade`, or `serve`, which does it")
    if (writing := store.checks()["database"]) != OK:
        cure = cure_of_reason(writing)
        return error("database", f"{name}: {writing}", "; ".join(filter(None, (cure, f"see {store.source}"))))
    return fine("database", f"{name}, accepts writes")


def _problem_and_cure(text: str, default_cure: str) -> tuple[str, str]:
    problem, _, cure = text.partition("; ")
    return problem, cure or default_cure
