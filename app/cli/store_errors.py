"""Turn an unavailable store into one line and exit code 1, in the commands that open the database themselves.

Apart from `app.cli`, so that the other commands start without SQLAlchemy.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli import CommandFailed
from app.config.start_options import DATA_DIR
from app.store import SchemaStatus, StoreUnavailable


@contextmanager
def reporting_store_errors() -> Iterator[None]:
    """Raise CommandFailed for a store that is unavailable."""
    try:
        yield
    except StoreUnavailable as error:
        raise CommandFailed(f"the store is unavailable: {error} (see storage.url, {DATA_DIR.variable})") from error


def require_compatible(status: SchemaStatus) -> None:
    """Raise CommandFailed unless this code can use the schema."""
    if status.compatible:
        return
    if (status.version or "") > status.head:
        raise CommandFailed(
            f"the schema {status.version} is newer than this code can use ({status.head}); run newer code"
        )
    raise CommandFailed(f"the schema is not at {status.head}; run `flask wats db upgrade`")
