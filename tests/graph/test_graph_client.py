"""The client of the Graph API over real sockets: what was not sent is told apart from what may have been accepted."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
import trustme

from tests.support.destinations import ClientConnection, ScriptedDestination, answering
from tests.support.graph_sender import GraphSender
from tests.support.waiting import wait_for

WAMID = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI="
ACCEPTED = json.dumps({"messages": [{"id": WAMID}]}).encode()
HTML = b"<html><body>Bad Gateway</body></html>"
NO_ANSWER = ("Ambiguous", {"reason": "no answer in time"})
LOST = ("Ambiguous", {"reason": "connection lost before the whole answer"})
NOT_VALID = ("NotSent", {"reason": "TLS: certificate not valid"})


def url_of(server: ScriptedDestination) -> str:
    return server.url.removesuffix("/hooks")


def head(length: int, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_message_is_posted_with_the_token_and_nothing_of_the_environment(
    meta: ScriptedDestination, sender: GraphSender
) -> None:
    meta.will_answer(200, ACCEPTED, Set_Cookie="a=b")

    answers = [sender.send(url_of(meta) + "/prefix/", body='{"to":"+1"}') for _ in range(2)]

    assert [(kind, fields["wamid"]) for kind, fields in answers] == [("Accepted", WAMID)] * 2
    assert {call.target for call in meta.calls} == {"/prefix/v25.0/106540352242922/messages"}
    assert {call.body for call in meta.calls} == {b'{"to":"+1"}'}
    assert {call.headers["authorization"] for call in meta.calls} == {"Bearer EAAmetas"}
    assert [call.headers.get("cookie") for call in meta.calls] == [None, None]
    assert {call.connection for call in meta.calls} == {1}


def test_a_phone_number_id_never_leads_to_another_path(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, ACCEPTED)

    sender.send(url_of(meta), number="../1/x?a#b", endpoint="marketing_messages")

    assert meta.calls[0].target == "/v25.0/..%2F1%2Fx%3Fa%23b/marketing_messages"


def test_a_refusal_is_a_value_with_its_error_and_its_delay(meta: ScriptedDestination, sender: GraphSender) -> None:
    error = {"error": {"code": 130429, "message": "(#130429) Rate limit hit", "fbtrace_id": "A"}}
    regain = '{"1":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":3}]}'
    meta.will_answer(400, json.dumps(error).encode(), Retry_After="5", X_Business_Use_Case_Usage=regain)

    kind, fields = sender.send(url_of(meta))

    assert kind == "Refused"
    assert "code=130429" in fields["error"]
    assert (fields["http_status"], fields["retry_after"], fields["regain_minutes"]) == (400, "0:00:05", 3)


@pytest.mark.parametrize("status", [400, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [HTML, b"", b'{"error":{"code":2'])
def test_an_error_status_without_an_error_of_the_graph_api_is_ambiguous(
    status: int, body: bytes, meta: ScriptedDestination, sender: GraphSender
) -> None:
    meta.will_answer(status, body)

    reason = f"HTTP {status} without an error of the Graph API"
    assert sender.send(url_of(meta)) == ("Ambiguous", {"reason": reason})
    assert len(meta.calls) == 1


@pytest.mark.parametrize("body", [HTML, b"", ACCEPTED[:20], b'{"messages":[]}'])
def test_a_success_without_a_message_id_is_ambiguous(
    body: bytes, meta: ScriptedDestination, sender: GraphSender
) -> None:
    meta.will_answer(200, body)

    assert sender.send(url_of(meta)) == ("Ambiguous", {"reason": "HTTP 200 without a message id"})


@pytest.mark.parametrize("said", [b"", head(99), head(99) + ACCEPTED[:20], b"220 smtp.test\r\n"])
def test_an_answer_that_is_cut_is_ambiguous(said: bytes, meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_say(said)

    assert sender.send(url_of(meta)) == LOST
    assert len(meta.calls) == 1


@pytest.mark.parametrize("said", [b"", head(99)])
def test_a_reset_after_the_request_is_ambiguous(said: bytes, meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_say(said, then=ClientConnection.reset)

    assert sender.send(url_of(meta)) == LOST


@pytest.mark.parametrize("said", [b"", head(99), head(99) + ACCEPTED[:20]])
def test_silence_is_ambiguous(said: bytes, meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_hang(said)

    assert sender.send(url_of(meta), read_seconds=0.3) == NO_ANSWER


@pytest.mark.parametrize("said", [head(len(ACCEPTED)) + ACCEPTED, head(999) + b" " * 998])
def test_an_answer_that_drips_is_given_up_after_a_while(
    said: bytes, meta: ScriptedDestination, sender: GraphSender
) -> None:
    meta.will_drip(said)

    assert sender.send(url_of(meta), total_seconds=1) == NO_ANSWER


def test_an_answer_that_never_ends_is_given_up(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_flood(b"HTTP/1.1 200 OK\r\n\r\n", b"{")

    assert sender.send(url_of(meta)) == ("Ambiguous", {"reason": "answer too large"})


def test_a_late_answer_is_not_taken_for_that_of_the_next_message(
    meta: ScriptedDestination, sender: GraphSender
) -> None:
    def late(line: ClientConnection) -> bool:
        line.wait(1)
        return answering(200, b'{"messages":[{"id":"late"}]}')(line)

    meta.will(late)
    meta.will_answer(200, ACCEPTED)

    first = sender.send(url_of(meta), read_seconds=0.3)
    kind, fields = sender.send(url_of(meta), read_seconds=0.3)

    assert (first, kind, fields["wamid"]) == (NO_ANSWER, "Accepted", WAMID)


def test_a_connection_that_meta_has_closed_is_not_used_again(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_say(head(len(ACCEPTED)) + ACCEPTED)

    kinds = []
    for number in range(3):
        kinds.append(sender.send(url_of(meta))[0])
        wait_for(lambda number=number: meta.closed > number)

    assert kinds == ["Accepted"] * 3
    assert [call.connection for call in meta.calls] == [1, 2, 3]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_carries_the_token_to_another_host(
    status: int, meta: ScriptedDestination, sender: GraphSender
) -> None:
    with contextlib.closing(ScriptedDestination()) as other:
        meta.will_answer(status, b"", Location=other.url)

        kind, _ = sender.send(url_of(meta))

        assert kind == "Ambiguous"
        assert other.calls == []


def test_a_refused_connection_is_no_sent_message(sender: GraphSender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert sender.send(f"http://127.0.0.1:{port}") == ("NotSent", {"reason": "connection refused"})


def test_a_name_that_cannot_exist_is_no_sent_message(sender: GraphSender) -> None:
    assert sender.send(f"http://{'a' * 64}.test") == ("NotSent", {"reason": "connection failed"})


def test_a_request_that_was_cut_while_it_was_written_is_no_sent_message(sender: GraphSender) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def take_a_little() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        taking = threading.Thread(target=take_a_little)
        taking.start()
        answer = sender.send(f"http://127.0.0.1:{listener.getsockname()[1]}", body="x" * 2**24)
        taking.join()

    assert answer == ("NotSent", {"reason": "the connection was lost while the request was written"})


def test_another_version_than_the_one_asked_for_is_reported(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, ACCEPTED, facebook_api_version="v26.0")
    meta.will_answer(200, ACCEPTED, facebook_api_version="v25.0")

    for _ in range(3):
        sender.send(url_of(meta))

    [line] = [line for line in sender.log.splitlines() if "graph.version_differs" in line]
    assert "v26.0 has answered, v25.0 was asked" in line


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[ScriptedDestination]:
    """Start a server with a certificate of a private authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    meta = ScriptedDestination(tls=context)
    yield meta
    meta.close()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSender]:
    """Start a process on a machine that trusts the private authority."""
    folder = tmp_path_factory.mktemp("trusting")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    sender = GraphSender(folder, SSL_CERT_FILE=str(folder / "authority.pem"))
    yield sender
    sender.close()


def test_no_token_is_sent_to_a_host_whose_certificate_is_not_valid(
    secure: ScriptedDestination, sender: GraphSender
) -> None:
    assert sender.send(url_of(secure)) == NOT_VALID
    assert secure.calls == []


def test_a_private_authority_of_this_machine_is_trusted(secure: ScriptedDestination, trusting: GraphSender) -> None:
    secure.will_answer(200, ACCEPTED)

    assert [trusting.send(url_of(secure))[0] for _ in range(2)] == ["Accepted"] * 2
    assert {call.connection for call in secure.calls} == {1}


def test_a_tls_connection_that_breaks_after_the_request_is_ambiguous(
    secure: ScriptedDestination, trusting: GraphSender
) -> None:
    def break_off(line: ClientConnection) -> None:
        """End the TCP connection without a word of TLS."""
        with socket.socket(fileno=line.connection.detach()) as plain:
            plain.sendall(b"no record of TLS")

    secure.will_say(head(99), then=break_off)
    secure.will_say(b"", then=ClientConnection.reset)

    assert [trusting.send(url_of(secure)) for _ in range(2)] == [LOST] * 2


def test_an_answer_that_repeats_the_token_is_printed_without_it(
    meta: ScriptedDestination, sender: GraphSender
) -> None:
    error = {"error": {"code": 190, "message": "Malformed access token EAAmetas"}}
    meta.will_answer(401, json.dumps(error).encode())

    answer = sender.send(url_of(meta))

    assert "Malformed access token [token]" in str(answer)
    assert "EAAmetas" not in str(answer)


@pytest.mark.parametrize("parts", [0, 1])
def test_a_request_is_given_up_as_long_as_its_last_part_is_not_written(
    meta: ScriptedDestination, sender: GraphSender, parts: int
) -> None:
    meta.will_answer(200, ACCEPTED)

    kind, fields = sender.send(url_of(meta), parts=parts)

    assert (kind, fields["is_given_up"]) == ("NotSent", True)
    assert meta.calls == []


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 102 Processing"]
)
def test_an_interim_answer_is_not_taken_for_the_answer(
    meta: ScriptedDestination, sender: GraphSender, interim: bytes
) -> None:
    interim += b"\r\nLink: </a>; rel=preload\r\n\r\n"

    def answer_after_interim(line: ClientConnection) -> bool:
        line.say(interim + interim)
        return answering(200, ACCEPTED)(line)

    meta.will(answer_after_interim)
    meta.will_answer(200, b'{"messages":[{"id":"other"}]}')

    answers = [sender.send(url_of(meta)) for _ in range(2)]

    assert [(kind, fields.get("wamid")) for kind, fields in answers] == [("Accepted", WAMID), ("Accepted", "other")]
