"""Connections to the Graph API that tell a request that was not sent from one whose answer was lost.

`requests` raises the same exceptions for both: for instance a TLS error while connecting and while reading an answer.
"""

import ssl
import time
from typing import Any

from gevent import Timeout
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

CONNECT_SECONDS = 10.0
"""For looking up the name, connecting and agreeing on TLS together."""

MAX_IDLE_SECONDS = 30.0
"""A connection that has been idle for longer is not used again: the other side may be closing it at this moment."""

KEPT_CONNECTIONS = 100


class RequestNotSent(Exception):
    """The kernel was not handed the whole request. It is no OSError: `requests` would wrap it, or read an answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (NameResolutionError, "name not found"),
    (ssl.SSLCertVerificationError, "TLS: certificate not valid"),
    (ssl.SSLError, "TLS: no agreement"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, "connecting timed out"),
)


class _Telling(HTTPConnection):
    """Raises `RequestNotSent` for whatever happens before the last byte is handed to the kernel."""

    _used_at = 0.0

    def connect(self) -> None:
        """Connect, within `CONNECT_SECONDS` for everything together."""
        try:
            with Timeout(CONNECT_SECONDS, RequestNotSent("connecting timed out")):
                super().connect()
        except (OSError, HTTPError, ValueError) as failure:
            raise RequestNotSent(_reason(failure)) from failure
        self._used_at = time.monotonic()

    def request(self, *arguments: Any, **options: Any) -> None:
        """Write a request; first connect again if the connection has been idle for long."""
        if self.sock is not None and time.monotonic() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        try:
            super().request(*arguments, **options)
        except OSError as failure:
            raise RequestNotSent("the connection was lost while the request was written") from failure
        self._used_at = time.monotonic()


class _TellingTls(_Telling, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Telling


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TellingTls


class GraphAdapter(HTTPAdapter):
    """The transport of a session: connections of ours, and no retries."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=KEPT_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools with connections that tell.

        They trust this machine's authorities beside the public ones: `SSL_CERT_FILE` adds a private one.
        """
        super().init_poolmanager(*arguments, **options, ssl_context=ssl.create_default_context())
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _reason(failure: BaseException) -> str:
    """Return the phrase for what caused this exception, which may wrap another one."""
    causes = [failure, failure.__cause__]
    found = (reason for kind, reason in _REASONS if any(isinstance(cause, kind) for cause in causes))
    return next(found, "connection failed")
