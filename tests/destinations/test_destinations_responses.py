"""Destinations that respond: correctly, badly, too much, or with something that is not HTTP."""

import gzip
import random

import pytest

from app.domain import VERSION
from tests.support.destinations import ClientConnection, ScriptedDestination
from tests.support.pusher import Pusher
from tests.support.waiting import wait_for

OK = b"HTTP/1.1 200 OK\r\n"
TEN_GIGABYTES = b"Content-Length: 10737418240\r\n\r\n"
TOO_LARGE = "answer too large"
NO_HTTP = "not an HTTP answer"


def test_a_post_carries_the_body_and_headers_that_were_given(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    result = pusher.post(destination.url + "/ä%2F?tenant=7&x=ö", body='{"id":1}', headers={"X-Team": "blue"})

    [call] = destination.calls
    assert (result.status, result.error, result.retry_after) == (200, None, None)
    assert (call.target, call.body) == ("/hooks/%C3%A4%2F?tenant=7&x=%C3%B6", b'{"id":1}')
    assert call.headers["x-team"] == "blue"
    assert call.headers["user-agent"] == f"wats/{VERSION}"
    assert call.headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "proxy-authorization"} & set(call.headers)


@pytest.mark.parametrize("status", [200, 204, 299, 400, 404, 408, 410, 429, 500, 503, 599, 999])
def test_the_status_is_returned(destination: ScriptedDestination, pusher: Pusher, status: int) -> None:
    destination.will_answer(status, b"")

    assert pusher.post(destination.url).words == status


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", "0:02:00"),
        ("Fri, 02 Jan 2026 12:07:00 GMT", "0:07:00"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "1 day, 0:00:00"),
        ("soon", None),
    ],
)
def test_the_delay_of_a_retry_after_header_is_returned(
    destination: ScriptedDestination, pusher: Pusher, header: str, wait: str | None
) -> None:
    destination.will_answer(429, Retry_After=header)

    result = pusher.post(destination.url)

    assert (result.status, result.retry_after) == (429, wait)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_returned_and_not_followed(
    destination: ScriptedDestination, pusher: Pusher, status: int
) -> None:
    elsewhere = ScriptedDestination()
    destination.will_answer(status, Location=elsewhere.url)

    result = pusher.post(destination.url)

    assert result.words == status
    assert elsewhere.calls == []
    assert len(destination.calls) == 1
    elsewhere.close()


def test_connections_are_kept_and_cookies_are_not(destination: ScriptedDestination, pusher: Pusher) -> None:
    destination.will_answer(Set_Cookie="session=abc; Path=/")

    for _ in range(3):
        pusher.post(destination.url)

    assert [call.connection for call in destination.calls] == [1, 1, 1]
    assert not any("cookie" in call.headers for call in destination.calls)


def test_a_kept_connection_that_the_destination_has_closed_is_replaced(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    destination.will_say(OK + b"Content-Length: 2\r\n\r\nok")

    for calls in (1, 2, 3):
        assert pusher.post(destination.url).words == 200
        wait_for(lambda calls=calls: destination.closed == calls)

    assert [call.connection for call in destination.calls] == [1, 2, 3]


def test_bytes_after_a_response_are_not_taken_for_the_next_one(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    def say_two_answers(line: ClientConnection) -> bool:
        line.say(OK + b"Content-Length: 2\r\n\r\nok" + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        return True

    destination.will(say_two_answers)

    assert [pusher.post(destination.url).words for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    "answer",
    [
        OK + TEN_GIGABYTES + b"ok",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nok",
        OK + b"Content-Length: -1\r\n\r\nok",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30000 + b"\r\nok",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        OK + b"\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nno length, so that its end is the end of the connection",
        b"HTTP/1.1 200\r\n\r\n",
        OK + b"Connection: keep-alive\r\nContent-Length: 10\r\n\r\nshort",
        OK + b"Set-Cookie: \xff\xfe=\x00\r\nRetry-After: \x80\r\n\r\n",
        OK + b"no colon in this line\r\n: no name\r\n folded\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"\r\n",
    ],
)
def test_a_status_that_has_come_counts_whatever_follows(
    destination: ScriptedDestination, pusher: Pusher, answer: bytes
) -> None:
    destination.will_say(answer)

    assert pusher.post(destination.url).words == 200
    wait_for(lambda: destination.closed == 1)  # or the next call may meet the end of a connection that was kept
    assert pusher.post(destination.url).words == 200


def test_a_gzip_bomb_is_not_unpacked(destination: ScriptedDestination, pusher: Pusher) -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))
    destination.will_answer(302, bomb, Content_Encoding="gzip, gzip", Location="/elsewhere")

    assert pusher.post(destination.url).words == 302


@pytest.mark.parametrize(
    ("head", "piece", "words"),
    [
        (OK + b"\r\n", b"x", 200),
        (OK + TEN_GIGABYTES, b"x", 200),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 200),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0", 200),
        (b"", b"x", TOO_LARGE),
        (OK, b"X-Y: z\r\n", NO_HTTP),
        (OK + b"X-Y: ", b"z", TOO_LARGE),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", TOO_LARGE),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", TOO_LARGE),
    ],
)
def test_only_the_beginning_of_an_endless_response_is_read(
    destination: ScriptedDestination, pusher: Pusher, head: bytes, piece: bytes, words: str | int
) -> None:
    destination.will_flood(head, piece)

    assert pusher.post(destination.url).words == words
    assert pusher.post(destination.url).words == words
    assert [call.connection for call in destination.calls] == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 20000 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"200 OK\r\n\r\n",
        b"\r\n\r\n",
        b"\0" * 100,
        OK + b"Content-Length: 1, 2\r\n\r\nok",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_response_that_is_not_http_is_an_error(
    destination: ScriptedDestination, pusher: Pusher, answer: bytes
) -> None:
    destination.will_say(answer)

    assert pusher.post(destination.url).words == NO_HTTP


def test_nothing_that_a_destination_says_is_logged(destination: ScriptedDestination, pusher: Pusher) -> None:
    destination.will_say(OK + b"Set-Cookie: planted\r\nplanted without colon\r\n\r\nplanted")
    destination.will_say(b"planted garbage")

    for _ in range(2):
        pusher.post(destination.url + "?planted=1")

    assert pusher.log == ""


ANSWERS = (
    OK + b"Content-Length: 2\r\nRetry-After: 5\r\nSet-Cookie: a=b\r\n\r\nok",
    OK + b"Transfer-Encoding: chunked\r\nTrailer: X-Y\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Y: z\r\n\r\n",
    b"HTTP/1.0 503 No\r\nContent-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n" + gzip.compress(b"no", mtime=0),
    b"HTTP/1.1 100 Go on\r\nX-Y: z\r\n\r\nHTTP/1.1 302 Found\r\nLocation: http://[::1/\r\nContent-Length: 0\r\n\r\n",
)
NASTY = (b"\r\n", b"\r", b"\n", b"\0", b"\xff", b":", b" ", b"\t", b"0", b"9" * 30, b"-1", b"chunked", b"HTTP/1.1 ")


def mangled(rng: random.Random) -> bytes:
    """Return a response in which a few places were overwritten, cut out or added to."""
    answer = bytearray(rng.choice(ANSWERS))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(answer) + 1)
        answer[at : at + rng.randrange(4)] = rng.choice((*NASTY, bytes([rng.randrange(256)])))
    return bytes(answer)


def test_every_mangled_response_has_a_known_reason(destination: ScriptedDestination, pusher: Pusher) -> None:
    rng = random.Random(20)
    for _ in range(600):
        destination.will_say(mangled(rng))

    results = [result for _ in range(30) for result in pusher.post_all(*[destination.url] * 20)]

    errors = {result.error for result in results if result.status is None}
    assert errors <= {NO_HTTP, TOO_LARGE, "connection closed without an answer", "connection reset"}
    assert all(100 <= result.status < 1000 for result in results if result.status is not None)
    assert pusher.log == ""


def test_the_first_kilobyte_of_a_body_is_kept(pusher: Pusher, destination: ScriptedDestination) -> None:
    destination.will_answer(500, b"e" * 20_000)

    told = pusher.post(destination.url)

    assert (told.status, told.body) == (500, "e" * 1024)
