"""The HTTP door of the fake Meta: real sockets, broken lines, signed webhooks."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from app.domain.meta.signature import SIGNATURE_HEADER, signed_with
from app.graph.fake.connections import Connections
from app.graph.fake.server import FakeMetaServer
from tests.support.destinations import ScriptedDestination
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import bearer_of_meta, fake_meta, message
from tests.support.receiver import Receiver, receiving
from tests.support.serving import ROOT, free_port
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import APP_SECRET, OLD_APP_SECRET, PATH


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(receiver: Receiver) -> Iterator[FakeMetaServer]:
    with fake_meta(f"http://127.0.0.1:{receiver.server_port}{PATH}") as server:
        yield server


@pytest.fixture
def server(running: FakeMetaServer, receiver: Receiver) -> FakeMetaServer:
    """The server without memory, in a hurry."""
    running.control.reset()
    wait_for(lambda: running.control.poster.pending == 0)
    receiver.received.clear()
    receiver.status = 200
    control(running, "script", {"switches": {"pace": 0, "answer_pace": 0}})
    return running


def send(server: FakeMetaServer, to: str = "+9990000000", **fields: Any) -> requests.Response:
    return requests.post(
        f"{server.url}/v25.0/{NUMBER}/messages",
        json=message(to, **fields),
        headers=bearer_of_meta(),
        timeout=DEADLINE_SECONDS,
    )


def control(server: FakeMetaServer, name: str, body: Any = None) -> Any:
    method = "GET" if name in ("state", "requests") else "POST"
    return requests.request(method, f"{server.url}/_fake/{name}", json=body, timeout=DEADLINE_SECONDS).json()


def test_an_answer_has_metas_headers(server: FakeMetaServer) -> None:
    answer = send(server)

    assert answer.headers["facebook-api-version"] == "v25.0"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert {"x-fb-request-id", "x-fb-trace-id", "x-fb-rev", "x-fb-debug", "Expires"} < set(answer.headers)
    assert answer.headers["Cache-Control"] == "private, no-cache, no-store, must-revalidate"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    [use] = json.loads(answer.headers["X-Business-Use-Case-Usage"])[WABA]
    assert (use["type"], use["call_count"], use["estimated_time_to_regain_access"]) == ("whatsapp", 1, 0)


def test_a_refusal_has_metas_headers_and_no_final_newline(server: FakeMetaServer) -> None:
    answer = send(server, "+9990002030")

    message = "(#131030) Recipient phone number not in allowed list"
    assert answer.headers["WWW-Authenticate"] == f'OAuth "Facebook Platform" "invalid_request" "{message}"'
    assert (answer.json()["error"]["message"], answer.content[-1:]) == (message, b"}")
    assert len(answer.json()["error"]["fbtrace_id"]) == 23


def test_every_status_is_posted_and_signed(server: FakeMetaServer, receiver: Receiver) -> None:
    send(server)

    wait_for(lambda: len(receiver.received) == 3)
    for path, headers, body in receiver.received:
        assert path == PATH
        assert signed_with(body, headers[SIGNATURE_HEADER], [APP_SECRET]) == "current"
        assert headers["User-Agent"] == "facebookexternalua"
        assert headers["X-Hub-Signature"].startswith("sha1=")


def test_a_webhook_is_ascii_with_escaped_slashes(server: FakeMetaServer, receiver: Receiver) -> None:
    control(server, "customer", {"from": "+4915112345678", "type": "text", "text": "é /"})

    wait_for(lambda: receiver.received)
    [(_, _, body)] = receiver.received
    assert b'{"body":"\\u00e9 \\/"}' in body


@pytest.mark.parametrize(("switch", "expected"), [("wrongly", None), ("by_previous", "previous")])
def test_a_signature_may_be_wrong_or_made_with_the_previous_secret(
    server: FakeMetaServer, receiver: Receiver, switch: str, expected: str | None
) -> None:
    control(server, "script", {"switches": {"signed": switch}})
    send(server, "+9990000002")

    wait_for(lambda: receiver.received)
    [(_, headers, body)] = receiver.received
    assert signed_with(body, headers[SIGNATURE_HEADER], [APP_SECRET, OLD_APP_SECRET]) == expected


def test_a_webhook_that_is_not_answered_200_comes_again(server: FakeMetaServer, receiver: Receiver) -> None:
    receiver.status = 503
    control(server, "script", {"switches": {"retry_seconds": [0, 0, 0]}})
    send(server, "+9990000002")

    wait_for(lambda: len(receiver.received) == 4)
    assert len({body for _, _, body in receiver.received}) == 1


def test_a_webhook_may_come_more_than_once(server: FakeMetaServer, receiver: Receiver) -> None:
    control(server, "script", {"switches": {"duplicates": 2}})
    send(server, "+9990000002")

    wait_for(lambda: len(receiver.received) == 3)


def test_statuses_may_come_in_batches(server: FakeMetaServer, receiver: Receiver) -> None:
    for _ in range(5):
        send(server, "+9990000011")
    control(server, "clock", {"advance": 5})

    wait_for(lambda: sum(len(statuses_in(body)) for _, _, body in receiver.received) == 15)
    assert len(receiver.received) < 15


def statuses_in(body: bytes) -> list[Any]:
    return [
        status
        for entry in json.loads(body)["entry"]
        for change in entry["changes"]
        for status in change["value"]["statuses"]
    ]


def test_a_webhook_may_be_repeated_in_another_batch(server: FakeMetaServer, receiver: Receiver) -> None:
    control(server, "script", {"switches": {"rebatch": True}})
    send(server)
    wait_for(lambda: len(receiver.received) == 3)
    control(server, "clock", {"advance": 1})

    wait_for(lambda: sum(len(statuses_in(body)) for _, _, body in receiver.received) == 6)


@pytest.mark.parametrize("ending", ["4001", "4002", "4003", "4009"])
def test_a_cut_line_gives_no_byte(server: FakeMetaServer, ending: str) -> None:
    with pytest.raises(requests.ConnectionError, match="RemoteDisconnected"):
        send(server, f"+999000{ending}")


def test_half_an_answer_ends_too_early(server: FakeMetaServer) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        send(server, "+9990004005")


def test_a_dripping_answer_arrives_whole(server: FakeMetaServer) -> None:
    assert send(server, "+9990004010").json()["messages"]


@pytest.mark.parametrize("when", ["reset_before_headers", "reset_after_headers"])
def test_a_connection_may_be_reset(server: FakeMetaServer, when: str) -> None:
    control(server, "script", {"switches": {"connection": when}})

    with pytest.raises(requests.RequestException):
        send(server)


def test_connections_may_be_refused_for_a_while(server: FakeMetaServer) -> None:
    def is_refused() -> bool:
        try:
            return send(server).status_code != 200
        except requests.ConnectionError as error:
            return "Connection refused" in str(error)

    control(server, "script", {"switches": {"connection": "refuse", "refuse_seconds": 1}})

    wait_for(is_refused)
    wait_for(lambda: not is_refused())


def test_every_request_is_remembered(server: FakeMetaServer) -> None:
    send(server)

    [request] = control(server, "requests")["requests"]
    assert (request["method"], request["path"], request["version"]) == ("POST", f"{NUMBER}/messages", "v25.0")
    assert request["headers"]["authorization"] == bearer_of_meta()["Authorization"]
    assert json.loads(request["body"]) == message("+9990000000")


def test_a_message_that_was_accepted_twice_is_reported(server: FakeMetaServer) -> None:
    for tracker in ("a", "b", "b"):
        send(server, biz_opaque_callback_data=tracker)

    state = control(server, "state")
    assert len(state["messages"]) == 3
    assert state["doubled"] == ["b"]


def test_what_the_control_does_not_understand_it_says(server: FakeMetaServer) -> None:
    assert "no such switch: shade" in control(server, "script", {"switches": {"shade": 1}})["error"]
    assert "POST /_fake/heal" in control(server, "nothing")["error"]
    assert "recipient" in control(server, "script", {})["error"]


def test_a_connection_that_was_kept_and_closed_is_made_anew() -> None:
    destination, connections = ScriptedDestination(), Connections()
    destination.will_say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    answers = [connections.call("POST", destination.url, b"{}", {}) for _ in range(3)]
    refused = connections.call("POST", f"http://127.0.0.1:{free_port()}/", b"{}", {})
    destination.close()
    connections.close()

    assert answers == [(200, b"")] * 3
    assert refused == (None, b"")


def test_a_chunked_body_is_read_whole(server: FakeMetaServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=DEADLINE_SECONDS)
    pieces = iter([json.dumps(message()).encode()[:20], json.dumps(message()).encode()[20:]])
    connection.request("POST", f"/{NUMBER}/messages", pieces, dict(bearer_of_meta()), encode_chunked=True)

    assert connection.getresponse().status == 200
    connection.close()


def test_the_fake_is_served_by_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "app.graph.fake", "--number", "1:2:15550001111", "--token", "t"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        origin = process.stdout.readline().strip()
        told = requests.get(f"{origin}/v25.0/2", headers=bearer_of_meta("t"), timeout=DEADLINE_SECONDS)
        process.send_signal(signal.SIGTERM)

    assert told.json()["display_phone_number"] == "+1 555-000-1111"
    assert process.returncode == 0


def test_the_handshake_asks_the_address_itself(server: FakeMetaServer, receiver: Receiver) -> None:
    body = {"override_callback_uri": f"http://127.0.0.1:{receiver.server_port}/hook", "verify_token": "v"}

    answer = requests.post(
        f"{server.url}/{WABA}/subscribed_apps", json=body, headers=bearer_of_meta(), timeout=DEADLINE_SECONDS
    )

    assert answer.json()["error"]["message"].endswith("HTTP Status Code = 501")


def test_an_expired_token_is_healed_and_webhooks_go_elsewhere(server: FakeMetaServer, receiver: Receiver) -> None:
    expired = send(server, "+9990002190").status_code
    control(server, "heal")
    control(server, "callback", {"url": f"http://127.0.0.1:{receiver.server_port}/elsewhere"})
    healed = send(server, "+9990002190").status_code
    wait_for(lambda: len(receiver.received) == 3)
    control(server, "callback", {"url": f"http://127.0.0.1:{receiver.server_port}{PATH}"})

    assert (expired, healed) == (401, 200)
    assert {path for path, _, _ in receiver.received} == {"/elsewhere"}


def test_a_script_is_set_and_tells_what_it_does_not_know(server: FakeMetaServer) -> None:
    control(server, "script", {"recipient": "+4915112345678", "steps": [{"refusal": "spam"}]})

    refused = send(server, "+4915112345678").json()["error"]["code"]
    told = control(server, "script", {"recipient": "+1", "steps": [{"refusal": "no such"}]})["error"]

    assert refused == 131048
    assert "there are account_calls" in told
