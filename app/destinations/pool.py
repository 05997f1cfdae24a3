"""A pool of HTTP connections to one destination, on sockets made by `Dialer`."""

import select
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import quote, urlsplit

import certifi

from app.destinations.dialer import Dialer
from app.destinations.responses import BoundedResponse
from app.gevent_patch import native

native_poll = native("select", "poll")

PORTS = {"http": 80, "https": 443}
URL_CHARACTERS = "!$%&'()*+,/:;=?@~"
"""Not percent-encoded in a request target, besides letters, digits and `-._`. Source: RFC 3986, 3.3 and 3.4."""


class ConnectionPool:
    """Posts to one destination.

    It uses no proxies, redirects, cookies or netrc, unlike a library session. Of the environment only OpenSSL's
    `SSL_CERT_FILE` and `SSL_CERT_DIR` are read.
    """

    def __init__(self, url: str, dialer_to: Callable[[str, int], Dialer], timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._host, self._default_port = parts.hostname or "", PORTS[parts.scheme]
        self._port = parts.port or self._default_port
        self._target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=URL_CHARACTERS)
        self._dial = dialer_to(self._host, self._port)
        self._tls = _tls_context() if parts.scheme == "https" else None
        self._timeout_seconds = timeout_seconds
        self._idle: list[_Connection] = []
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def post(self, body: bytes, headers: Mapping[str, str]) -> Iterator[HTTPResponse]:
        """Post once and yield the response, its body still unread. The caller must drain it.

        The connection is kept unless an exception ends the exchange; its socket is reused if the response allows it.
        """
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            yield connection.post(self._target, body, headers)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _new_connection(self) -> "_Connection":
        connection = _Connection(self._host.rstrip("."), self._port, timeout=self._timeout_seconds)
        connection.default_port = self._default_port
        connection.dial, connection.tls = self._dial, self._tls
        return connection


class _Connection(HTTPConnection):
    """A connection whose socket our dialer makes, and whose responses are bounded."""

    response_class = BoundedResponse
    sock: socket.socket | None
    dial: Dialer
    tls: ssl.SSLContext | None

    def connect(self) -> None:
        """Connect; for https, start TLS, verify the host name and send it as SNI."""
        sock = self.dial()
        if self.tls is not None:
            sock = self.tls.wrap_socket(sock, server_hostname=self.host)
        sock.settimeout(self.timeout)
        self.sock = sock

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        """Send a request and return the response once its headers have arrived.

        If the destination has closed an idle connection, reconnect.
        """
        if self.sock is not None and _is_readable(self.sock):
            self.close()
        # A destination may respond and close, or reset, before it has read the whole body.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.request("POST", target, body, headers)
        return self.getresponse()


def _close_all(connections: Iterable[_Connection]) -> None:
    for connection in connections:
        connection.close()


def _is_readable(sock: socket.socket) -> bool:
    """Return whether a socket is readable. Between requests that means closed or out of step: do not reuse it."""
    poll = native_poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context() -> ssl.SSLContext:
    """Return a context that trusts the public authorities and this machine's: `SSL_CERT_FILE` adds a private one."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
