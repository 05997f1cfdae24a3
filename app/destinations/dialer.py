"""Dialling a destination: its name is looked up apart, and no refused address is connected to."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

from gevent import monkey
from gevent.threadpool import ThreadPool

from app.domain.addresses import Address, is_never_connected

CONNECT_SECONDS = 5.0

MayReach = Callable[[Address], bool]
LookUp = Callable[..., Sequence[tuple[Any, ...]]]
"""As `socket.getaddrinfo`. It is called in a native thread, and so must not be gevent's."""

look_up_natively: LookUp = monkey.get_original("socket", "getaddrinfo")


class AddressRefused(OSError):
    """The address is one that is never connected to, or not in this mode."""


class Dialer:
    """Connects to one destination, at the first of its addresses that answers.

    Its name is looked up in a thread of its own: a name server that does not answer holds a thread for much longer
    than an attempt lasts, and in a shared pool a few of those would leave none for the others' names.
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
        for family, _, _, _, address in self._thread.apply(self._look_up, self._name):
            try:
                return self._connect(family, address)
            except OSError as error:
                failure = error
        raise failure

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
        found = ipaddress.ip_address(address[0].partition("%")[0])
        if is_never_connected(found) or not self._may_reach(found):
            raise AddressRefused(address[0])
