"""What can go wrong with a destination, in a few stable words. They never quote what it or the library said."""

import http.client
import socket
import ssl
from collections.abc import Iterator

from requests import RequestException
from urllib3.exceptions import HTTPError

from app.destinations.dialer import AddressRefused
from app.destinations.responses import AnswerTooLarge

TIMED_OUT = "timed out"
NO_HTTP = "not an HTTP answer"
TROUBLES = (RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)
"""Everything that the libraries raise for what a destination does."""

WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (AddressRefused, "address refused"),
    (AnswerTooLarge, "answer too large"),
    (ssl.SSLCertVerificationError, "TLS: certificate not valid"),
    (ssl.SSLError, "TLS: no agreement"),
    (socket.gaierror, "name not found"),
    (TimeoutError, TIMED_OUT),
    (ConnectionRefusedError, "connection refused"),
    (http.client.RemoteDisconnected, "connection closed without an answer"),
    (ConnectionError, "connection reset"),
    (http.client.HTTPException, NO_HTTP),
    (OSError, "connection failed"),
)


def failure_reason(trouble: BaseException) -> str:
    """What happened, by what began it: libraries wrap one exception into the next."""
    causes = [cause for cause in _chain(trouble) if not isinstance(cause, RequestException)]
    for kind, words in WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return NO_HTTP


def _chain(trouble: BaseException | None) -> Iterator[BaseException]:
    while trouble is not None:
        yield trouble
        trouble = trouble.__cause__ or trouble.__context__
