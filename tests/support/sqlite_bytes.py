"""What the files of a SQLite database hold, byte for byte and by SQL."""

from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from app.store.engine import sqlite
from app.store.engine.sqlite_pages import is_gap_clean

PAGE = 4096


def bytes_of_files(url: str) -> bytes:
    """Return the content of all its files, the write-ahead log included."""
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*") if file.is_file())


def copies_of(text: str, url: str) -> int:
    """Count this text in all its files."""
    return bytes_of_files(url).count(text.encode())


def unclean_pages(url: str) -> list[int]:
    """Return the numbers of the pages of the file, but the first, in whose gaps anything stands."""
    content = sqlite.path_of(url).read_bytes()
    pages = range(2, len(content) // PAGE + 1)
    return [page for page in pages if not is_gap_clean(content[PAGE * (page - 1) : PAGE * page])]


def execute(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run one statement beside the store; return its rows."""
    with closing(sqlite.driver().connect(sqlite.path_of(url))) as connection:
        return list(connection.execute(sql).fetchall())
