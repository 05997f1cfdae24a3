"""The passage over real sockets: odd spellings of paths, and files that are larger than what a process may hold."""

import contextlib
import http.client
import json
from pathlib import Path

import pytest

from app.graph.fake.server import FakeMetaServer
from tests.graph_proxy.conftest import BOT, asked_by_clients
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import message
from tests.support.serving import Running
from tests.support.waiting import DEADLINE_SECONDS

SEND = f"/{NUMBER}/messages"
ODD = (
    f"/api/graph/v25.0/{NUMBER}/./messages",
    f"/api/graph/v25.0/{NUMBER}/x/../messages",
    f"/api/graph/v25.0/{NUMBER}/%2e%2e/{NUMBER}/messages",
    f"/api/graph/v25.0/{NUMBER}%2Fmessages",
    f"/api/graph/v25.0/{NUMBER}%2fmessages",
    f"/api/graph/v25.0/{NUMBER}%5Cmessages",
    f"/api/graph/v25.0/{NUMBER}/messages;v=1",
    f"/api/graph/v25.0/{NUMBER}/messages%3Bv=1",
    f"/api/graph/v25.0/{NUMBER}/messages%00",
    f"/api/graph/v25.0/{NUMBER}/messages%20",
    f"/api/graph/v25.0/{NUMBER}/%256dessages",
    f"/api/graph/v25.0/v25.0{SEND}",
    f"/api/graph/v25.0/{NUMBER}/messages_encrypted",
    f"/api/graph/v25.0/{NUMBER}/MESSAGES_encrypted/",
    f"/api/graph/v25.0/upload:x/..{SEND}",
    f"/api/graph/v25.0/upload:x%2F..%2F{NUMBER}%2Fmessages",
    f"/api/graph%2Fv25.0{SEND}",
    f"/api/%67raph/v25.0{SEND}",
    "/api/graph/v25.0/",
    f"/api/graph/v25.0{SEND}?method=post",
    f"/api/graph/v25.0{SEND}?access_token=x",
)
QUEUED = (
    f"/api/graph/v25.0//{NUMBER}//messages/",
    f"/api/graph/V25.0/{NUMBER}/MESSAGES",
    f"/api/graph/v25.0/{NUMBER}/%6dessages",
    f"/api/graph/v25.0/%39{NUMBER[1:]}/messages",
)
MEGABYTES = 24
FLAT_KILOBYTES = 12 * 1024


def post(running: Running, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
    """Post to a path exactly as it is written."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, DEADLINE_SECONDS)) as connection:
        connection.request("POST", path, body, {**BOT, "Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("path", ODD)
def test_no_message_passes_by_its_queue(path: str, running: Running, meta: FakeMetaServer) -> None:
    status, answer = post(running, path, json.dumps(message("9990000000")).encode())

    assert (status, json.loads(answer)["error"]["code"]) == (400, 100)
    assert asked_by_clients(meta) == []


@pytest.mark.parametrize("path", QUEUED)
def test_a_spelling_that_means_a_message_goes_through_the_queue(
    path: str, running: Running, meta: FakeMetaServer
) -> None:
    status, _ = post(running, path, json.dumps(message("9990000000", text={"body": path})).encode())

    [sent] = asked_by_clients(meta)
    assert status == 200
    assert json.loads(sent["body"])["biz_opaque_callback_data"].startswith("wats1.")


def peak(running: Running) -> int:
    """Return the most kilobytes that a web process has held since the last look."""
    peaks = []
    for pid in running.pids_of("wats-web"):
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        peaks.append(int(status["VmHWM"].split()[0]))
    return max(peaks)


def test_a_large_file_goes_up_with_flat_memory(running: Running, meta: FakeMetaServer) -> None:
    part = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n'
    head = f"--b\r\n{part.format('messaging_product', '')}whatsapp\r\n--b\r\n"
    head += part.format("file", '; filename="a.pdf"\r\nContent-Type: application/pdf')
    body = head.encode() + b"x" * (MEGABYTES * 1024 * 1024) + b"\r\n--b--\r\n"
    peak(running)
    before = peak(running)

    status, answer = post(running, f"/api/graph/v25.0/{NUMBER}/media", body, "multipart/form-data; boundary=b")

    assert (status, list(json.loads(answer))) == (200, ["id"])
    assert peak(running) - before < FLAT_KILOBYTES
