"""Database URLs: which are accepted, which hold a password, and which name one and the same database."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from app.config.errors import InvalidValue
from app.config.schema.references import SecretRef, read_secret_ref
from app.config.schema.value_types import ValueType, text_of

POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
SQLITE_PREFIX = "sqlite:///"
POSTGRES_PORT = 5432
SUPPORTED = "sqlite:///FILE or postgresql://… with a database is needed"


@dataclass(frozen=True)
class NamedDatabase:
    """A database's URL, which is a secret, and the variable or setting that it came from."""

    url: str = field(repr=False)
    source: str


def database_url(value: str) -> str:
    """Return a database URL for SQLAlchemy: a SQLite file's path absolute, `postgres://` of platforms translated.

    Raises `InvalidValue`; no message repeats any of it.
    """
    url = _split(value)
    rest = value[len(url.scheme) :]
    if url.scheme == "sqlite" and rest.startswith(":///"):
        return sqlite_url(_file_in(rest.removeprefix(":///")))
    if url.scheme in POSTGRES_SCHEMES and rest.startswith("://") and (url.path.strip("/") or url.query):
        return f"postgresql+psycopg{rest}"
    raise InvalidValue("unsupported_database", SUPPORTED)


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file. In a URL, `?` begins a query and `%` a quoted character."""
    return SQLITE_PREFIX + str(path.absolute()).replace("%", "%25").replace("?", "%3F")


def path_in(url: str) -> Path | None:
    """Return the path of the SQLite file that a URL of `database_url` names; None for another database."""
    return Path(unquote(url.removeprefix(SQLITE_PREFIX))) if url.startswith(SQLITE_PREFIX) else None


def is_same_database(one: str, other: str) -> bool:
    """Return whether two URLs, as `database_url` returns them, lead to the same database, whatever the user."""
    return _identity(one) == _identity(other)


def _split(value: str) -> SplitResult:
    try:
        url = urlsplit(value if value.isprintable() else "")
        _ = url.port
    except ValueError as error:
        raise InvalidValue("bad_url", "this is no database URL; a password in it must be percent-encoded") from error
    return url


def _file_in(text: str) -> Path:
    """Return the path in a SQLite URL, in which `?` and `%` are quoted."""
    if "?" in text:
        raise InvalidValue("unsupported_database", "a SQLite URL has no options; a ? in its path is written %3F")
    name = unquote(text)
    if not name.strip("/") or name == ":memory:" or not name.isprintable():
        raise InvalidValue("unsupported_database", SUPPORTED)
    return Path(name)


def _identity(url: str) -> tuple[object, ...]:
    if path := path_in(url):
        return ("sqlite", path.resolve())
    split = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(split.query).items()}
    host = query.get("host", split.hostname or "localhost").lower()
    port = query.get("port", str(split.port or POSTGRES_PORT))
    return ("postgresql", host, port, query.get("dbname", unquote(split.path.strip("/"))))


def _read_storage_url(value: object) -> str | SecretRef:
    """Return a reference, or a literal that holds no password."""
    if isinstance(value, dict):
        return read_secret_ref(value)
    text = text_of(value)
    if _holds_password(text):
        raise InvalidValue("raw_secret", "a database URL with a password does not belong here; write { env: NAME }")
    database_url(text)
    return text


def _holds_password(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    if scheme.lower() == "sqlite":
        return False
    has_user_info, query = "@" in rest, rest.partition("?")[2]
    return (has_user_info and ":" in rest.rpartition("@")[0]) or any(
        "password" in key.lower() for key in parse_qs(query)
    )


STORAGE_URL = ValueType("{ env: NAME }, or a URL without password", _read_storage_url)
