"""URLs in a config or on a command line: of the Graph API, of destinations, of a running service."""

import re
from urllib.parse import SplitResult, urlsplit

from app.config.errors import InvalidValue
from app.config.hosts import is_host, is_loopback, is_never_connected
from app.config.schema.value_types import ValueType, text_of

_PLAIN_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?", re.ASCII)


def is_loopback_url(url: str) -> bool:
    """Return whether what is sent to this URL never leaves this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def without_query(url: str) -> str:
    """Return an http URL for display, without its query, which may hold a key. (Credentials in it are refused.)"""
    return url.partition("?")[0] + ("?…" if "?" in url else "")


def _split(value: object) -> SplitResult:
    """Return an absolute http or https URL, split."""
    text = text_of(value)
    try:
        url = urlsplit(text)
        port_is_sane = url.port is None or url.port > 0
    except ValueError as error:
        raise InvalidValue("bad_url", "this is no URL") from error
    if not url.hostname or not port_is_sane or re.search(r"[\s\\#]", text):
        raise InvalidValue("bad_url", "an absolute URL with a host, and without a fragment, is needed")
    if url.username is not None or url.password is not None:
        raise InvalidValue("credentials_in_url", "credentials do not belong in this URL")
    if url.scheme not in ("http", "https"):
        raise InvalidValue("bad_url", "http or https is needed")
    return url


def _check_host(host: str) -> None:
    if is_never_connected(host):
        raise InvalidValue(
            "forbidden_address", "link-local, metadata, multicast and reserved addresses are never called"
        )
    _check_form(host)


def _check_form(host: str) -> None:
    if not is_host(host):
        raise InvalidValue("bad_url", "the host must be a name or a plain IP address (international names as xn--…)")


def _read_base_url(value: object) -> str:
    url = _split(value)
    host = url.hostname or ""
    _check_host(host)
    if url.scheme != "https" and not is_loopback(host):
        raise InvalidValue("bad_url", "https is needed (http only to loopback)")
    return _read_service_url(value)


def _read_service_url(value: object) -> str:
    """Return a URL that paths are appended to, without a slash at its end."""
    url = _split(value)
    _check_form(url.hostname or "")
    if "?" in str(value) or not _PLAIN_PATH.fullmatch(url.path):
        raise InvalidValue(
            "bad_url", "a query, a '%', a traversal or an empty part of a path does not belong in this URL"
        )
    return str(value).rstrip("/")


def _read_destination_url(value: object) -> str:
    _check_host(_split(value).hostname or "")
    return str(value)


BASE_URL = ValueType("https URL", _read_base_url)
SERVICE_URL = ValueType("http(s) URL", _read_service_url)
DESTINATION_URL = ValueType("http(s) URL", _read_destination_url)
