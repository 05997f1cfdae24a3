"""Destinations behind TLS: nothing is posted to one whose certificate is not valid."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from tests.support.destinations import ScriptedDestination
from tests.support.pusher import Pusher

NOT_VALID = "TLS: certificate not valid"
NO_AGREEMENT = "TLS: no agreement"

Secure = Callable[..., ScriptedDestination]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusher]:
    """Start a process on a machine that trusts a private authority."""
    folder = tmp_path_factory.mktemp("trusting")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    pusher = Pusher(folder, SSL_CERT_FILE=str(folder / "authority.pem"))
    yield pusher
    pusher.close()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Secure]:
    """Return a function that starts a destination with a certificate for these names."""
    made: list[ScriptedDestination] = []

    def make(
        *names: str, not_after: datetime | None = None, newest: ssl.TLSVersion | None = None
    ) -> ScriptedDestination:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, not_after=not_after).configure_cert(context)
        if newest is not None:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = newest
        made.append(ScriptedDestination(tls=context))
        return made[-1]

    yield make
    for server in made:
        server.close()


def test_a_certificate_of_an_authority_that_this_machine_trusts_is_accepted(secure: Secure, trusting: Pusher) -> None:
    destination = secure("127.0.0.1")

    assert [trusting.post(destination.url).words for _ in range(2)] == [200, 200]
    assert [call.connection for call in destination.calls] == [1, 1]


def test_a_certificate_of_an_unknown_authority_is_refused(secure: Secure, pusher: Pusher) -> None:
    destination = secure("127.0.0.1")

    assert pusher.post(destination.url).words == NOT_VALID
    assert destination.calls == []


def test_a_certificate_for_another_name_is_refused(secure: Secure, trusting: Pusher) -> None:
    destination = secure("crm.example", "10.0.0.1")

    assert trusting.post(destination.url).words == NOT_VALID
    assert destination.calls == []


def test_an_expired_certificate_is_refused(secure: Secure, trusting: Pusher) -> None:
    destination = secure("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))

    assert trusting.post(destination.url).words == NOT_VALID
    assert destination.calls == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_of_tls_are_refused(secure: Secure, trusting: Pusher) -> None:
    destination = secure("127.0.0.1", newest=ssl.TLSVersion.TLSv1_1)

    assert trusting.post(destination.url).words == NO_AGREEMENT
    assert destination.calls == []


def test_a_handshake_that_is_never_answered_times_out(pusher: Pusher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert pusher.post(f"https://127.0.0.1:{listener.getsockname()[1]}/", seconds=1).words == "timed out"


def test_a_handshake_that_is_answered_in_plain_text_is_an_error(pusher: Pusher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer_in_plain_text, args=(listener,))
        answering.start()

        assert pusher.post(f"https://127.0.0.1:{listener.getsockname()[1]}/").words == NO_AGREEMENT

        answering.join()


def answer_in_plain_text(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)
