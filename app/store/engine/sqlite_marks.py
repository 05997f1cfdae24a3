"""Marks in a SQLite file that it holds no remains of deleted rows. They are stored in SQLite's `user_version`.

A transaction that deletes also removes a mark, so that the marks are true even if the process dies.
"""

from enum import IntFlag

from sqlalchemy import Connection


class Mark(IntFlag):
    """No free page holds content; no gap of a page does, see `sqlite_gaps`. Older code knows only 0 and 1."""

    FREE_PAGES_WIPED = 1
    GAPS_CLEAN = 2


ALL = Mark.FREE_PAGES_WIPED | Mark.GAPS_CLEAN


def marks_of(connection: Connection) -> Mark:
    """Return the marks of the file; all of them on PostgreSQL, which has its own ways."""
    if connection.dialect.name != "sqlite":
        return ALL
    return Mark(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def set_marks(connection: Connection, marks: Mark) -> None:
    """Set the marks of the file, and write its first page even if they are the same."""
    connection.exec_driver_sql(f"PRAGMA user_version = {marks.value}")


def add_mark(connection: Connection, mark: Mark) -> None:
    """Record that this is clean."""
    set_marks(connection, marks_of(connection) | mark)


def remove_mark(connection: Connection, mark: Mark) -> None:
    """Remove this mark, because a transaction deletes. Nothing is written if it is not set."""
    marks = marks_of(connection)
    if mark & marks and connection.dialect.name == "sqlite":
        set_marks(connection, marks & ~mark)
