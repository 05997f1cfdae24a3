"""What the files of a SQLite database hold, byte for byte and by SQL."""

from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from app.store.engine import sqlite


def bytes_of_files(url: str) -> bytes:
    """Return the content of all its files, the write-ahead log included."""
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())


def copies_of(text: str, url: str) -> int:
    """Count this text in all its files."""
    return bytes_of_files(url).count(text.encode())


def execute(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run one statement beside the store; return its rows."""
    with closing(sqlite.driver().connect(sqlite.path_of(url))) as connection:
        return list(connection.execute(sql).fetchall())
