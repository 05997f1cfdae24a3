"""Connections to the Graph API that distinguish a request that was not sent from one whose answer was lost.

`requests` raises the same exceptions for both: for instance a TLS error while connecting and while reading an answer.
"""

import http
import http.client
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast

from gevent import Timeout
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from app.domain.send_answer import GIVEN_UP
from app.domain.send_limits import MAX_SLOTS
from app.running_time import elapsed_seconds

CONNECT_SECONDS = 10.0
"""The limit for name look-up, connect and TLS handshake together."""

MAX_IDLE_SECONDS = 30.0
"""A connection that has been idle for longer is not used again: the other side may be closing it at this moment."""

KEPT_CONNECTIONS = MAX_SLOTS
"""As many as messages may be in flight: a discarded connection costs a new TLS handshake."""

MayWrite = Callable[[], bool]

may_write: ContextVar[MayWrite] = ContextVar("may_write", default=lambda: True)
"""Asked right before each part of a request is written: nothing that takes time comes after the question.

It goes past `requests` and `urllib3`, which hand nothing of the kind from a call to its connection.
"""


class RequestNotSent(Exception):
    """The kernel was not handed the whole request. It is no OSError: `requests` would wrap it, or read an answer."""

    def __init__(self, reason: str, *, is_given_up: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_given_up = is_given_up


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (NameResolutionError, "name not found"),
    (ssl.SSLCertVerificationError, "TLS: certificate not valid"),
    (ssl.SSLError, "TLS: no agreement"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, "connecting timed out"),
)


class _Answer(http.client.HTTPResponse):
    """An answer. Interim ones before it (1xx) are skipped: `http.client` skips 100 only.

    It would take 103 for the answer, and the real one for that of the next request on the connection.
    """

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        while status < http.HTTPStatus.OK:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason


class _Telling(HTTPConnection):
    """Raises `RequestNotSent` for whatever happens before the last byte is handed to the kernel."""

    response_class = _Answer
    _used_at = 0.0

    def connect(self) -> None:
        """Connect, within `CONNECT_SECONDS` for everything together."""
        try:
            with Timeout(CONNECT_SECONDS, RequestNotSent("connecting timed out")):
                super().connect()
        except (OSError, HTTPError, ValueError) as failure:
            raise RequestNotSent(_reason(failure)) from failure
        self._used_at = elapsed_seconds()

    def send(self, data: Any) -> None:
        """Write a part of a request, once connected, unless it may not be written any more."""
        if self.sock is None:
            self.connect()
        if not may_write.get()():
            raise RequestNotSent(GIVEN_UP.reason, is_given_up=True)
        super().send(data)

    def request(self, *arguments: Any, **options: Any) -> None:
        """Write a request; first connect again if the connection has been idle for long."""
        if self.sock is not None and elapsed_seconds() - self._used_at > MAX_IDLE_SECONDS:
            self.close()
        try:
            super().request(*arguments, **options)
        except OSError as failure:
            raise RequestNotSent("the connection was lost while the request was written") from failure
        self._used_at = elapsed_seconds()


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
        """Make the pools with connections that know whether a request was sent.

        They trust this machine's authorities beside the public ones: `SSL_CERT_FILE` adds a private one.
        """
        super().init_poolmanager(*arguments, **options, ssl_context=ssl.create_default_context())
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def pool_of(self, url: str) -> HTTPConnectionPool:
        """Return the pool of connections to the host of this URL; they verify TLS as those of a session do."""
        request = PreparedRequest()
        request.prepare_url(url, None)
        pool = cast("HTTPConnectionPool", self.get_connection_with_tls_context(request, verify=True))
        self.cert_verify(pool, url, verify=True, cert=None)  # type: ignore[no-untyped-call]
        return pool


def _reason(failure: BaseException) -> str:
    """Return the phrase for what caused this exception, which may wrap another one."""
    causes = [failure, failure.__cause__]
    found = (reason for kind, reason in _REASONS if any(isinstance(cause, kind) for cause in causes))
    return next(found, "connection failed")
