"""Posting events to a URL of a developer's own."""

import socket

from app.cli.forward import Forward
from tests.support.receiver import receiving
from tests.support.serving import free_port


def test_a_refusal_is_reported_and_not_repeated() -> None:
    with receiving() as mine:
        mine.status = 500
        told = Forward(f"http://127.0.0.1:{mine.server_port}/", "events", "secret").post("evt_1", b"{}")

    assert told.startswith("HTTP 500 in ")
    assert len(mine.received) == 1


def test_where_nothing_listens_the_connection_fails() -> None:
    told = Forward(f"http://127.0.0.1:{free_port()}/", "events", "secret").post("evt_1", b"{}")

    assert told == "no answer: the connection failed"


def test_an_answer_that_does_not_come_is_waited_for_a_bounded_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        told = Forward(url, "meta", "secret", read_seconds=0.2).post("evt_1", b"{}")

    assert told == "no answer within 0.2 seconds"
