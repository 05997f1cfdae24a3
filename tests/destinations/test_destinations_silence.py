"""Destinations that hang, drip, drop the connection or are not there, and delay no other."""

import socket
import threading

import pytest

from tests.support.destinations import ClientConnection, ScriptedDestination, destination_that_accepts_nobody
from tests.support.pusher import Pusher
from tests.support.serving import free_port

OK = b"HTTP/1.1 200 OK\r\n"
TIMED_OUT = "timed out"
CLOSED = "connection closed without an answer"


@pytest.mark.parametrize("said", [b"", b"HTTP", OK, OK + b"X-Y: z\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_destination_that_hangs_before_its_status_is_complete_times_out(
    destination: ScriptedDestination, pusher: Pusher, said: bytes
) -> None:
    destination.will_hang(said)

    assert pusher.post(destination.url, seconds=1).words == TIMED_OUT


def test_single_bytes_do_not_extend_the_timeout(destination: ScriptedDestination, pusher: Pusher) -> None:
    destination.will_drip(OK + b"X-Padding: " + b"x" * 1000)

    assert pusher.post(destination.url, seconds=1).words == TIMED_OUT


def test_a_status_counts_though_its_body_drips_for_ever(destination: ScriptedDestination, pusher: Pusher) -> None:
    def drip_the_body(line: ClientConnection) -> bool:
        line.say(OK + b"Content-Length: 1000\r\n\r\n")
        while not line.wait(0.2):
            line.say(b"x")
        return False

    destination.will(drip_the_body)

    first = pusher.post(destination.url, seconds=5)
    destination.recover()
    second = pusher.post(destination.url)

    assert [(result.status, result.error) for result in (first, second)] == [(200, None)] * 2
    assert [call.connection for call in destination.calls] == [1, 2]


def test_a_destination_that_accepts_nobody_times_out(pusher: Pusher) -> None:
    with destination_that_accepts_nobody() as url:
        assert pusher.post(url, seconds=1).words == TIMED_OUT


def test_a_destination_that_reads_nothing_times_out(pusher: Pusher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        assert pusher.post(url, seconds=1, body="x" * 20_000_000).words == TIMED_OUT


@pytest.mark.parametrize("ending", ["shutdown", "reset"])
def test_a_response_to_a_body_that_was_not_read_counts(pusher: Pusher, ending: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        responding = threading.Thread(target=respond_without_reading, args=(listener, ending))
        responding.start()

        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert pusher.post(url, body="x" * 20_000_000).words == 413

        responding.join()


def respond_without_reading(listener: socket.socket, ending: str) -> None:
    """Respond and close. Without a shutdown the unread body makes the kernel reset the connection."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        if ending == "shutdown":
            connection.shutdown(socket.SHUT_WR)


def test_a_closed_port_is_an_error(pusher: Pusher) -> None:
    assert pusher.post(f"http://127.0.0.1:{free_port()}/").words == "connection refused"


def test_a_closed_connection_and_a_reset_one_have_different_reasons(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    destination.will_say()
    destination.will_say(then=ClientConnection.reset)
    destination.will_say(OK + b"X-Y:", then=ClientConnection.reset)

    results = [pusher.post(destination.url).words for _ in range(3)]

    assert results == [CLOSED, "connection reset", "connection reset"]


def test_a_destination_that_comes_and_goes_is_reported_each_time(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    for _ in range(3):
        destination.will_answer()
        destination.will_say(then=ClientConnection.reset)
        destination.will_answer(503)

    assert [pusher.post(destination.url).words for _ in range(9)] == [200, "connection reset", 503] * 3


def test_a_name_without_addresses_is_an_error(pusher: Pusher) -> None:
    assert pusher.post("http://nowhere.invalid/", seconds=60).words == "name not found"
    assert pusher.post("http://none.test/").words == "name not found"
    assert "gaierror" not in pusher.log


def test_each_address_of_a_name_is_tried(pusher: Pusher) -> None:
    destination = ScriptedDestination()

    result = pusher.post(f"http://two.test:{destination.port}/")

    assert result.words == 200
    assert destination.calls[0].headers["host"] == f"two.test:{destination.port}"
    destination.close()


def test_destinations_that_hang_delay_no_other(pusher: Pusher) -> None:
    destination, hanging = ScriptedDestination(), ScriptedDestination()
    hanging.will_hang()
    stuck = [*["http://hanging.test/"] * 12, *[hanging.url] * 12]

    *results, well = pusher.post_all(*stuck, destination.url, seconds=5)

    assert {result.words for result in results} == {TIMED_OUT}
    assert well.words == 200
    assert pusher.finished[0] == len(stuck)
    assert pusher.ticks > 20
    for one in (destination, hanging):
        one.close()


def test_a_flood_does_not_stop_other_posts(pusher: Pusher) -> None:
    floods = [ScriptedDestination() for _ in range(4)]
    for flood in floods:
        flood.will_flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n")

    results = pusher.post_all(*[flood.url for flood in floods * 4])

    assert {result.words for result in results} == {"answer too large"}
    for flood in floods:
        flood.close()
