"""The line to one destination: dialled by us, verified, and without anything that a session would add."""

import select
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import certifi
from gevent import monkey
from requests import PreparedRequest, Request
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.destinations.dialer import Dialer
from app.destinations.responses import BoundedAnswer

native_poll = monkey.get_original("select", "poll")

PORTS = {"http": 80, "https": 443}


class DestinationAdapter(HTTPAdapter):
    """Posts to one destination over connections that are kept.

    It is used without a session: proxies, redirects, cookies and netrc are a session's doing.
    """

    def __init__(self, url: str, dialer_to: Callable[[str, int], Dialer], connections: int) -> None:
        super().__init__(max_retries=0)
        self._empty = Request("POST", url).prepare()
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        options: dict[str, Any] = {"maxsize": connections, "dial": dialer_to(host, port)}
        self._pool: HTTPConnectionPool = (
            _TlsPool(host, port, ssl_context=_tls_context(), **options)
            if parts.scheme == "https"
            else _PlainPool(host, port, **options)
        )

    def request(self, body: bytes, headers: Mapping[str, str]) -> PreparedRequest:
        """A POST of this body. Its URL was taken apart once, for all of them."""
        request = self._empty.copy()
        request.prepare_headers(headers)
        request.prepare_body(body, None)
        return request

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """The one pool there is; its context decides which certificates are good."""
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing to set up: the pool's context verifies every certificate and the name in it."""


class _Dialled:
    """A connection whose socket our dialer makes, and whose answer is bounded."""

    sock: socket.socket | None
    response_class: Any = BoundedAnswer

    def __init__(self, *arguments: Any, dial: Dialer, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dial = dial

    @property
    def is_connected(self) -> bool:
        """Tells whether it is open still, as far as we heard. The library's own look turns gevent's whole loop."""
        return self.sock is not None and not _is_readable(self.sock)

    def _new_conn(self) -> socket.socket:
        return self._dial()


class _PlainConnection(_Dialled, HTTPConnection):
    pass


class _TlsConnection(_Dialled, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _is_readable(connection: socket.socket) -> bool:
    """Between two requests only an end is there to be read."""
    look = native_poll()
    look.register(connection, select.POLLIN)
    return bool(look.poll(0))


def _tls_context() -> ssl.SSLContext:
    """Trusts the public authorities, and those of this machine: a private one is added by `SSL_CERT_FILE`."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
