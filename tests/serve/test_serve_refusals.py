"""What gunicorn refuses before the application sees it: in our form, in the log with a path, and counted."""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.serving import Running, environment, serving
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

HEADERS = 64 * 1024
ORDINARY = 8190
"""gunicorn's own limit of a header, and that of most proxies."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("refusals")
    with serving(folder, environ=environment(folder, WEB_CONCURRENCY="1")) as running:
        yield running


@pytest.mark.parametrize("size", [4095, ORDINARY, 16_000])
def test_a_webhook_with_a_large_header_is_accepted(running: Running, size: int) -> None:
    body = body_of(f"with a certificate of {size} bytes")

    answer = running.ask("POST", PATH, body, {**signed(body), "X-Forwarded-Client-Cert": "c" * size})

    assert answer == (200, b'{"status":"accepted"}')


def test_a_webhook_with_many_headers_is_accepted(running: Running) -> None:
    body = body_of("from behind many proxies")

    answer = running.ask(
        "POST", PATH, body, {**signed(body), **{f"X-Hop-{number}": "x" * 500 for number in range(90)}}
    )

    assert answer[0] == 200


def head(line: str, *headers: str, end: str = "\r\n\r\n") -> bytes:
    return ("\r\n".join([line, "Host: localhost", *headers]) + end).encode("latin-1")


WEBHOOK = f"POST {PATH} HTTP/1.1"
REFUSED = {
    "a long query": (head(f"GET {PATH}?q={'q' * 5000} HTTP/1.1"), 414, "uri_too_long", PATH),
    "a long path": (head(f"GET {PATH}/{'4' * 5000} HTTP/1.1"), 414, "uri_too_long", f"{PATH}/…"),
    "one large header": (head(WEBHOOK, f"A: {'a' * 17_000}"), 431, "headers_too_large", PATH),
    "large headers": (head(WEBHOOK, *[f"A: {'a' * 15_000}"] * 6), 431, "headers_too_large", PATH),
    "many headers": (head(WEBHOOK, *["A: a"] * 101), 431, "headers_too_large", PATH),
    "a head that does not end": (head(WEBHOOK, "A: a", end="\r\n"), 408, "headers_timeout", PATH),
    "a line that does not end": (f"POST {PATH}".encode(), 408, "headers_timeout", PATH),
    "no HTTP": (b"\x16\x03\x01\x02\0\x01\r\n\r\n", 400, "bad_request", ""),
    "an unknown version": (head(f"POST {PATH} HTTP/3.0"), 400, "bad_request", PATH),
    "a lower-case method": (head("post /49177/x HTTP/1.1"), 400, "bad_request", "/…/…"),
    "no path": (head("GET status HTTP/1.1"), 400, "bad_request", "status"),
    "a blank in a header's name": (head(WEBHOOK, "A : a"), 400, "bad_request", PATH),
    "a header over two lines": (head(WEBHOOK, "A: a", " b"), 400, "bad_request", PATH),
    "two lengths": (head(WEBHOOK, "Content-Length: 1", "Content-Length: 2"), 400, "bad_request", PATH),
    "an unknown coding": (head(WEBHOOK, "Transfer-Encoding: x"), 501, "unsupported_coding", PATH),
    "an unknown expectation": (head(WEBHOOK, "Expect: x"), 417, "expectation_failed", PATH),
}


@pytest.mark.parametrize(("request_bytes", "status", "code", "path"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_cannot_be_parsed_is_answered_logged_and_counted(
    running: Running, request_bytes: bytes, status: int, code: str, path: str
) -> None:
    counted_before = counted(running, status)

    head, _, body = answer_to(running, request_bytes).partition(b"\r\n\r\n")

    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    error = json.loads(body)["error"]
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert (error["code"], headers["Content-Type"]) == (code, "application/json")
    assert (headers["Connection"], headers["Cache-Control"]) == ("close", "no-store")
    assert headers["X-Request-Id"] == error["requestId"]
    line = log_line(running, error["requestId"])
    assert (line["event"], line["status"], line["path"]) == ("http.request", status, path)
    assert counted(running, status) == counted_before + 1


def test_an_idle_connection_is_closed_without_an_answer(running: Running) -> None:
    assert answer_to(running, b"") == b""


def test_no_line_of_the_log_holds_what_was_refused(running: Running) -> None:
    answer_to(running, head("GET /api/contacts/49177555 HTTP/9.9", "Authorization: Bearer s3cret-token"))

    log = running.err
    assert "49177555" not in log
    assert "s3cret" not in log
    assert "Traceback" not in log


def answer_to(running: Running, request: bytes) -> bytes:
    """Send this, and read until the gateway closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE_SECONDS) as connection:
        connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):  # the answer comes first
            while piece := connection.recv(65536):
                answer += piece
    return answer


def log_line(running: Running, request_id: str) -> dict[str, Any]:
    def lines() -> list[str]:
        return [line for line in running.err.splitlines() if request_id in line]

    wait_for(lines)
    return dict(json.loads(lines()[0]))


def counted(running: Running, status: int) -> float:
    name = f'wats_http_request_seconds_count{{method="any",route="unmatched",status="{status}"}} '
    text = running.ask("GET", "/metrics", headers=bearer())[1].decode()
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))
