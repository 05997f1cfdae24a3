"""The driver of a database: loaded before a fork, its code is shared by the processes that connect."""

from sqlalchemy import make_url


def load_driver(url: str) -> None:
    """Load what a connection to this database needs. Connect to nothing."""
    make_url(url).get_dialect().import_dbapi()
