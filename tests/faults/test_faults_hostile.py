"""Hostile clients against real gunicorn processes: honest webhooks go on being answered, and nothing slips in."""

import contextlib
import json
import os
import re
import socket
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from bench import load, webhooks
from bench.attacks import ATTACKS, CONNECTIONS, hold_bodies, under
from bench.databases import prepare
from bench.servers import Server, serving_wats
from tests.support.waiting import DEADLINE_SECONDS, wait_for

MEMORY_MEGABYTES = 450
"""Two processes hold 96 MB of bodies each, and freed pieces leave holes between them."""
RATE, ROUND_SECONDS, MAX_ROUNDS = 50, 2, 5
BODY = b'{"entry":[]}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    environ = {"WATS_DATA_DIR": str(folder), "WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml"}
    environ["WATS_GRACE_SECONDS"] = "5"  # attackers whose bodies never come would be waited for at the end
    prepare(environ, 0)
    with serving_wats(environ) as running:
        yield running


def one_round(server: Server) -> Counter[int]:
    """Send honest webhooks at a steady rate for some seconds; return how often each status came."""
    result = load.run(server.address, webhooks.singles(), connections=32, seconds=ROUND_SECONDS, rate=RATE)
    return Counter(result.statuses)


def head(*lines: str, body: bytes = BODY, signed: bool = True) -> bytes:
    signature = [f"{SIGNATURE_HEADER}: {signature_of(body, webhooks.SECRET)}"] if signed else []
    return "\r\n".join([f"POST {webhooks.PATH} HTTP/1.1", "Host: localhost", *signature, *lines, "", ""]).encode()


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

ODD_REQUESTS = {
    "two lengths": head(LENGTH, "Content-Length: 3") + BODY,
    "two equal lengths": head(LENGTH, LENGTH) + BODY,
    "length list": head(f"Content-Length: {len(BODY)}, {len(BODY)}") + BODY,
    "length and chunked": head(LENGTH, "Transfer-Encoding: chunked") + CHUNKED,
    "signed length": head(f"Content-Length: +{len(BODY)}") + BODY,
    "negative length": head("Content-Length: -1") + BODY,
    "hexadecimal length": head("Content-Length: 0xc") + BODY,
    "huge length": head("Content-Length: " + "9" * 40) + BODY,
    "chunked twice": head("Transfer-Encoding: chunked, chunked") + CHUNKED,
    "chunked then identity": head("Transfer-Encoding: chunked, identity") + CHUNKED,
    "unknown coding": head("Transfer-Encoding: xchunked") + CHUNKED,
    "coding with a tab": head("Transfer-Encoding:\x0bchunked") + CHUNKED,
    "blank before the colon": head("Content-Length : 3") + BODY,
    "folded header": head("X-A: b\r\n c", LENGTH) + BODY,
    "bare line feed": head(LENGTH).replace(b"Host: localhost\r\n", b"Host: localhost\n") + BODY,
    "nul in a header": head("X-A: \0", LENGTH) + BODY,
    "negative chunk": head("Transfer-Encoding: chunked") + b"-c\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk of no number": head("Transfer-Encoding: chunked") + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk without end": head("Transfer-Encoding: chunked") + b"c\r\n" + BODY + b"XX0\r\n\r\n",
    "chunk with a bare carriage return": head("Transfer-Encoding: chunked") + b"c;a\rb\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunked in an old version": head("Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0") + CHUNKED,
    "quoted coding": head('Transfer-Encoding: "chunked"') + CHUNKED,
    "length after a line feed": head("X-A: b\nContent-Length: 3", LENGTH) + BODY,
    "chunk of ten gigabytes": head("Transfer-Encoding: chunked") + b"280000000\r\n" + BODY,
    "body that breaks off": head("Content-Length: 1000") + BODY,
    "five thousand headers": head(*[f"X-{number}: y" for number in range(5000)], LENGTH) + BODY,
    "a header of 100 KB": head("X-A: " + "b" * 100_000, LENGTH) + BODY,
    "a path of 100 KB": b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no request at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "old version": head(LENGTH).replace(b"HTTP/1.1", b"HTTP/0.9") + BODY,
    "underscored signature": head(LENGTH, signed=False).replace(
        b"Host:", b"X_Hub_Signature_256: " + signature_of(BODY, webhooks.SECRET).encode() + b"\r\nHost:"
    )
    + BODY,
    "two signatures": head(LENGTH, f"{SIGNATURE_HEADER}: {signature_of(BODY, webhooks.SECRET)}") + BODY,
}

WELL_FRAMED = ("underscored signature", "two signatures")
ODDLY_FRAMED = {name: odd for name, odd in ODD_REQUESTS.items() if name not in WELL_FRAMED}


@pytest.mark.parametrize("odd", ODD_REQUESTS.values(), ids=ODD_REQUESTS)
def test_an_odd_request_is_refused_and_stores_nothing(server: Server, odd: bytes) -> None:
    before = stored(server)

    answer = ask(server, odd)

    assert not answer or re.match(rb"HTTP/1\.1 (4\d\d|501) ", answer)
    assert b"Traceback" not in answer
    assert stored(server) == before


@pytest.mark.parametrize("odd", ODDLY_FRAMED.values(), ids=ODDLY_FRAMED)
def test_nothing_is_smuggled_in_behind_an_odd_request(server: Server, odd: bytes) -> None:
    hidden = b'{"hidden":"%s"}' % os.urandom(8).hex().encode()
    before = stored(server)

    answer = ask(server, odd + head(f"Content-Length: {len(hidden)}", body=hidden) + hidden)

    assert b" 200 " not in answer
    assert stored(server) == before


def test_pipelined_webhooks_are_each_answered_in_order(server: Server) -> None:
    bodies = [b'{"pipelined":%d}' % number for number in range(3)]
    requests = [head(f"Content-Length: {len(body)}", body=body) + body for body in bodies]
    refused = head("Content-Length: 2", signed=False) + b"{}"

    answer = ask(server, requests[0] + refused + requests[1] + requests[2])

    assert re.findall(rb"HTTP/1\.1 (\d{3})", answer) == [b"200", b"401", b"200", b"200"]


@pytest.fixture(scope="module")
def calm_answers(server: Server) -> int:
    """How many honest webhooks are answered in one round without an attack."""
    return one_round(server)[200]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_honest_webhooks_are_answered_under_attack(server: Server, calm_answers: int, attack) -> None:
    before, statuses = server.memory_megabytes(), Counter[int]()

    with under(attack, server.address):
        for _ in range(MAX_ROUNDS):
            statuses.update(one_round(server))
            if statuses[200] > calm_answers / 4:
                break

    assert set(statuses) == {200}
    assert statuses[200] > calm_answers / 4
    assert server.memory_megabytes() < before + MEMORY_MEGABYTES


def test_a_large_signed_webhook_is_taken_while_strangers_hold_as_many_bytes_as_there_is_room_for(
    server: Server,
) -> None:
    with socket.create_connection(server.address, timeout=DEADLINE_SECONDS) as oldest:
        oldest.sendall(head("Content-Length: 3000001") + b"x" * 3_000_000)
        with under(hold_bodies, server.address):
            told = oldest.recv(65536)
            answers = [ask(server, request) for request in islice(webhooks.large(), 5)]
            attackers = connections_of(server)

    assert b" 408 " in told
    assert b"no room for others" in told
    assert [answer.split(b" ", 2)[1] for answer in answers] == [b"200"] * 5
    assert attackers > CONNECTIONS[hold_bodies]


def test_a_client_that_reads_no_answer_loses_its_connection(server: Server, long: bool) -> None:
    if not long:
        pytest.skip("it takes as long as the deadline")
    before = connections_of(server)
    with socket.create_connection(server.address, timeout=2) as connection:
        with contextlib.suppress(TimeoutError):
            while True:
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)

        wait_for(lambda: connections_of(server) <= before)


def test_no_request_of_this_module_met_an_internal_error(server: Server) -> None:
    log = Path(f"/proc/{server.process.pid}/fd/2").resolve().read_text(errors="replace")

    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line for line in lines if line.get("status", 0) == 500] == []
    assert [line for line in lines if line["event"] == "http.failed"] == []


def ask(server: Server, request: bytes) -> bytes:
    """Everything that the server answers until it has nothing more to say for a while."""
    answer = b""
    with socket.create_connection(server.address, timeout=DEADLINE_SECONDS) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:  # it may have hung up before we were done
            return answer
    return answer


def connections_of(server: Server) -> int:
    """How many connections the kernel holds for the server's port."""
    port, established = f":{server.address[1]:04X}", "01"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] == established for row in rows)


def stored(server: Server) -> int:
    """How many receipts there are. Under attack webhooks arrive whose client has gone: these tests come before."""
    host, port = server.address
    request = urllib.request.Request(f"http://{host}:{port}/status")
    request.add_header("Authorization", "Bearer dry-run-service-token")
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        return int(json.load(answer)["receipts"]["total"])
