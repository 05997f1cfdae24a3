"""How a push can fail, in a few stable phrases. They never quote what a destination or a library said."""

import http.client
import socket
import ssl
from collections.abc import Iterator

from app.destinations.dialer import AddressRefused
from app.destinations.responses import ResponseTooLarge

TIMED_OUT = "timed out"
NOT_HTTP = "not an HTTP answer"
FAILURES = (http.client.HTTPException, OSError, ValueError)
"""Everything that the standard library raises for what a destination does."""

REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (AddressRefused, "address refused"),
    (ResponseTooLarge, "answer too large"),
    (ssl.SSLCertVerificationError, "TLS: certificate not valid"),
    (ssl.SSLError, "TLS: no agreement"),
    (socket.gaierror, "name not found"),
    (TimeoutError, TIMED_OUT),
    (ConnectionRefusedError, "connection refused"),
    (http.client.RemoteDisconnected, "connection closed without an answer"),
    (ConnectionError, "connection reset"),
    (http.client.HTTPException, NOT_HTTP),
    (OSError, "connection failed"),
)


def failure_reason(failure: BaseException) -> str:
    """Return the phrase for what caused this exception, which may wrap another one."""
    causes = list(_causes(failure))
    for kind, reason in REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return reason
    return NOT_HTTP


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
