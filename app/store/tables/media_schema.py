"""The table of the files that are fetched from Meta when their events arrive."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from app.store.tables.schema import metadata, where
from app.store.tables.types import RowId, UtcDateTime

media_files = Table(
    "media_files",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("media_id", String(64), nullable=False),
    Column("phone_number_id", String(64)),
    Column("event", BigInteger, nullable=False),  # its sequence
    Column("state", String(10), nullable=False),  # waiting, stored, dead, deleted
    Column("mime_type", String(255), nullable=False),
    Column("filename", String(200)),
    Column("sha256", String(64)),
    Column("size", BigInteger),
    Column("url", String(2000)),
    Column("attempts", Integer, nullable=False),
    Column("last_error", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("media_files_media_id", "media_id", unique=True),
    Index("media_files_event", "event"),
    Index("media_files_dead", "id", **where("state = 'dead'")),
    Index("media_files_deleted", "id", **where("state = 'deleted'")),
    sqlite_autoincrement=True,
)
"""A file by its id at Meta. `event`: the first one that named it, with which it is deleted. A row stays, as deleted,
until its file is gone too. `url`: Meta's own, which holds for minutes."""

media_marks = Table(
    "media_marks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("current", String(32), nullable=False),
    Column("previous", String(32)),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("earlier", String(32)),
    Column("former", String(100)),
    Column("renewed_at", UtcDateTime),
)
"""The only row: the marks that the folder of media may have, newest first, and those of the folder before (`former`,
with spaces between them); see `app.domain.media_mark`."""

media_folder_problems = Table(
    "media_folder_problems",
    metadata,
    Column("machine", String(200), primary_key=True),
    Column("problem", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""A machine whose folder of media is not the one that the others use, since it looked last."""
