"""The connections to one destination: `http.client` over sockets that our dialer makes, kept between requests."""

import select
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import quote, urlsplit

import certifi
from gevent import monkey

from app.destinations.dialer import Dialer
from app.destinations.responses import BoundedResponse

native_poll = monkey.get_original("select", "poll")

PORTS = {"http": 80, "https": 443}
URL_CHARACTERS = "!$%&'()*+,/:;=?@~"
"""Left as they are in a request's target, with letters, digits and `-._`. Source: RFC 3986, 3.3 and 3.4."""


class ConnectionPool:
    """Posts to one destination.

    Proxies, redirects, cookies, netrc and the environment are what a client library's session adds: there is none.
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

        The connection is kept unless an exception ends the exchange.
        """
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            yield connection.post(self._target, body, headers)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _new_connection(self) -> "_Connection":
        connection = _Connection(self._host, self._port, timeout=self._timeout_seconds)
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
        """Connect, and agree on TLS where the URL asks for it: its name is verified, and sent as SNI."""
        connected = self.dial()
        if self.tls is not None:
            connected = self.tls.wrap_socket(connected, server_hostname=self.host.rstrip("."))
        connected.settimeout(self.timeout)
        self.sock = connected

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        """Send a request and return the response once its headers have arrived.

        A kept connection that the destination has closed is opened anew.
        """
        if self.sock is not None and _is_readable(self.sock):
            self.close()
        with suppress(BrokenPipeError):  # a destination may respond and close before it has read the whole body
            self.request("POST", target, body, headers)
        return self.getresponse()


def _close_all(connections: Iterable[_Connection]) -> None:
    for connection in connections:
        connection.close()


def _is_readable(connection: socket.socket) -> bool:
    """Return whether there is something to read. Between two requests that can only be the connection's end."""
    poll = native_poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _tls_context() -> ssl.SSLContext:
    """Return a context that trusts the public authorities and this machine's: `SSL_CERT_FILE` adds a private one."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
