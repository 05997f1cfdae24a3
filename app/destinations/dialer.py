"""Opens connections to a destination: looks its name up in a thread of its own, and refuses forbidden addresses."""

import encodings.idna  # noqa: F401 - see `LookUp`
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

from gevent.threadpool import ThreadPool

from app.domain.addresses import Address, is_never_connected
from app.gevent_patch import native

CONNECT_SECONDS = 5.0

MayReach = Callable[[Address], bool]
LookUp = Callable[..., Sequence[tuple[Any, ...]]]
"""Like `socket.getaddrinfo`, but not gevent's: it is called in a native thread.

Such a thread must import no module: the locks of imports are gevent's, and a thread that waits for one may never go
on. So the codec of names is imported with this module.
"""

look_up_natively: LookUp = native("socket", "getaddrinfo")


class AddressRefused(OSError):
    """The address is never connected to, or not in this mode."""


class Dialer:
    """Connects to one destination, at the first of its addresses that accepts a connection.

    Each destination has a thread for its name: a name server that does not answer blocks a thread for much longer
    than an attempt lasts, and a few of those would block a shared pool for the names of all destinations.
    """

    def __init__(self, host: str, port: int, *, may_reach: MayReach, look_up: LookUp, seconds: float) -> None:
        self._name = (host, port, 0, socket.SOCK_STREAM)
        self._may_reach = may_reach
        self._seconds = min(seconds, CONNECT_SECONDS)
        self._thread = ThreadPool(1)
        self._look_up = look_up

    def __call__(self) -> socket.socket:
        """Return a connected socket. Raises the OSError of the last address if none answers."""
        failure: OSError = socket.gaierror("the name has no address")
        for family, _, _, _, address in self._addresses():
            try:
                return self._connect(family, address)
            except OSError as error:
                failure = error
        raise failure

    def _addresses(self) -> Sequence[tuple[Any, ...]]:
        """Look the name up in the native thread. Its error is a value: gevent prints one that leaves it."""
        found = self._thread.apply(_look_up_or_fail, (self._look_up, self._name))
        if isinstance(found, Exception):
            raise found
        return found

    def _connect(self, family: socket.AddressFamily, address: Any) -> socket.socket:
        """Connect. Check the address before and after connecting, so that no refused address is contacted."""
        self._check(address)
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect(address)
            self._check(connection.getpeername())
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, address: Any) -> None:
        ip_address = ipaddress.ip_address(address[0].partition("%")[0])
        if is_never_connected(ip_address) or not self._may_reach(ip_address):
            raise AddressRefused(address[0])


def _look_up_or_fail(look_up: LookUp, name: tuple[Any, ...]) -> Sequence[tuple[Any, ...]] | Exception:
    try:
        return look_up(*name)
    except Exception as error:  # noqa: BLE001 - raised again by the caller
        return error
