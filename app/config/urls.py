"""URLs in the config: where Graph is, where a destination is, where the database is."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from app.config.kinds import Kind, text_of
from app.config.mistakes import Bad
from app.config.references import read_secret

POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


def is_loopback(host: str) -> bool:
    """Tells whether a host name or address never leaves this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def _split(value: object) -> SplitResult:
    try:
        url = urlsplit(text_of(value))
        port_is_sane = url.port is None or url.port > 0
    except ValueError as error:
        raise Bad("bad_url", "this is no URL") from error
    if not url.hostname or not port_is_sane or " " in str(value) or "\\" in str(value):
        raise Bad("bad_url", "an absolute URL with a host is needed")
    if url.username is not None or url.password is not None:
        raise Bad("credentials_in_url", "credentials do not belong in this URL")
    if url.fragment:
        raise Bad("bad_url", "a fragment does not belong in this URL")
    return url


def _read_base_url(value: object) -> str:
    url = _split(value)
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname or "")):
        raise Bad("bad_url", "https is needed (http only to loopback)")
    if url.query:
        raise Bad("bad_url", "a query does not belong in this URL")
    return str(value).rstrip("/")


def _read_destination_url(value: object) -> str:
    url = _split(value)
    if url.scheme not in ("http", "https"):
        raise Bad("bad_url", "http or https is needed")
    if _is_link_local(url.hostname or ""):
        raise Bad("forbidden_address", "link-local and metadata addresses are never called")
    return str(value)


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


def _read_storage_url(value: object) -> object:
    """A reference, or a literal that holds no password."""
    if isinstance(value, dict):
        return read_secret(value)
    url = database_url(text_of(value))
    if "@" in urlsplit(url).netloc and urlsplit(url).password is not None:
        raise Bad("raw_secret", "a database URL with a password does not belong here; write { env: NAME }")
    return url


def database_url(value: str) -> str:
    """A database URL as SQLAlchemy wants it; `postgres://` is accepted as platforms write it."""
    try:
        url = urlsplit(value)
        _ = url.port
    except ValueError as error:
        raise Bad("bad_url", "this is no URL") from error
    if url.scheme == "sqlite" and not url.netloc and url.path.strip("/") and not url.query:
        return value
    if url.scheme in POSTGRES_SCHEMES and (url.path.strip("/") or url.query):
        return "postgresql+psycopg" + value[len(url.scheme) :]
    raise Bad("unsupported_database", "sqlite:///FILE or postgresql://… with a database is needed")


BASE_URL = Kind("https URL", _read_base_url)
DESTINATION_URL = Kind("http(s) URL", _read_destination_url)
STORAGE_URL = Kind("{ env: NAME }, or a URL without password", _read_storage_url)
