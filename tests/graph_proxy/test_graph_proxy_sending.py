"""Messages of clients that speak Meta's API are sent as all are: at most once, and with Meta's answer."""

import contextlib
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.graph.fake.acting import act
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.switches import set_switches
from tests.graph_proxy.conftest import BOT
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import message
from tests.support.serving import Running
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import bearer

SEND = f"/api/graph/v25.0/{NUMBER}/messages"
GROUP = "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"
JSON = {"Content-Type": "application/json"}


def send(running: Running, to: str = "9990000000", **fields: Any) -> tuple[int, dict[str, Any]]:
    """Send a message through the façade; return the status and the JSON of the answer."""
    headers = {**BOT, **JSON, **fields.pop("headers", {})}
    status, body = running.ask("POST", fields.pop("path", SEND), json.dumps(message(to, **fields)).encode(), headers)
    return status, json.loads(body)


def posts(meta: FakeMetaServer) -> list[dict[str, Any]]:
    """Return the bodies of the messages that Meta was sent."""
    return [json.loads(entry["body"]) for entry in meta.control.journal.entries("messages")]


def text(body: str) -> dict[str, Any]:
    return {"text": {"body": body}}


def test_metas_answer_has_the_recipient_as_the_client_wrote_it(running: Running, meta: FakeMetaServer) -> None:
    status, answer = send(running, "999 000-0008", biz_opaque_callback_data="order 7")

    [sent] = posts(meta)
    assert status == 200
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": "999 000-0008", "wa_id": "999000008"}]
    assert answer["messages"][0].keys() == {"id"}
    assert sent["to"] == "999 000-0008"
    assert sent["biz_opaque_callback_data"].startswith("wats1.")


def test_answers_of_templates_groups_and_user_ids_have_what_metas_have(
    running: Running, meta: FakeMetaServer
) -> None:
    template = {"name": "hello", "language": {"code": "en"}}

    held = send(running, "9990000006", type="template", template=template)[1]
    group = send(running, GROUP, recipient_type="group")[1]
    by_id = send(running, None, recipient="XX.FAKE0000")[1]
    marketing = send(
        running, "9990000000", type="template", template=template, path=SEND.replace("/m", "/marketing_m")
    )[1]

    assert held["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert group["messages"][0]["group_id"] == GROUP
    assert by_id["contacts"] == [{"input": "XX.FAKE0000", "user_id": "XX.FAKE0000"}]
    assert marketing["messages"][0]["message_status"] == "accepted"
    assert [entry["path"] for entry in meta.control.journal.entries("/marketing_messages")]


@pytest.mark.parametrize(("ending", "status"), [("2030", 400), ("1497", 403), ("2001", 404)])
def test_a_refusal_has_metas_words(ending: str, status: int, running: Running, meta: FakeMetaServer) -> None:
    told, answer = send(running, f"999000{ending}")

    error = answer["error"]
    assert told == status
    assert error["code"]
    assert {"message", "type", "code", "error_data", "fbtrace_id"} <= error.keys()
    assert {"class", "hint", "tries", "httpStatus"}.isdisjoint(error)


def test_a_key_of_the_client_makes_one_message(running: Running, meta: FakeMetaServer) -> None:
    key = {"headers": {"Idempotency-Key": "façade".encode().hex()}}

    first, again = send(running, **key), send(running, **key)
    conflict = send(running, **key, **text("other"))

    assert first == again
    assert len(posts(meta)) == 1
    assert (conflict[0], conflict[1]["error"]["code"]) == (409, 100)


def test_many_equal_messages_at_once_are_one(running: Running, meta: FakeMetaServer) -> None:
    set_switches(meta.control.meta.state, {"answer_seconds": 3.0, "pace": 100})

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: send(running, **text("at once")), range(50)))

    assert len({json.dumps(answer) for answer in answers}) == 1
    assert answers[0][0] == 200
    assert len(posts(meta)) == 1


def test_the_same_sentence_said_again_after_its_answer_is_another_message(
    running: Running, meta: FakeMetaServer
) -> None:
    answers = [send(running, **text("yes")) for _ in range(2)]

    assert len({answer["messages"][0]["id"] for _, answer in answers}) == 2
    assert len(posts(meta)) == 2


@pytest.mark.parametrize("seconds", [0.5, 2.0])  # it is seen when the answer comes, and while it is waited for
def test_a_client_that_has_not_waited_gets_the_answer_of_its_first_try(
    seconds: float, running: Running, meta: FakeMetaServer
) -> None:
    set_switches(meta.control.meta.state, {"answer_seconds": seconds, "pace": 100})
    patience = text(f"patience {seconds}")
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, DEADLINE_SECONDS)) as connection:
        connection.request("POST", SEND, json.dumps(message("9990000000", **patience)), {**BOT, **JSON})
    wait_for(lambda: posts(meta))
    listed = "/api/messages?limit=1"
    wait_for(lambda: running.json(listed, bearer())["items"][0]["wamid"])

    _, answer = send(running, **patience)

    assert answer["messages"][0]["id"] == running.json(listed, bearer())["items"][0]["wamid"]
    assert len(posts(meta)) == 1


def test_other_recipients_contexts_and_clients_are_other_messages(running: Running, meta: FakeMetaServer) -> None:
    set_switches(meta.control.meta.state, {"answer_seconds": 1.0, "pace": 100})
    variants = [
        {"to": "9990000000"},
        {"to": "9990000001"},
        {"to": "9990000000", "context": {"message_id": "wamid.a"}},
        {"to": "9990000000", "headers": bearer()},
    ]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda fields: send(running, **fields), variants))

    assert len(posts(meta)) == 4


def test_a_message_is_marked_as_read_at_once(running: Running, meta: FakeMetaServer) -> None:
    received = act(meta.control.meta, {"from": "+4915112345678", "type": "text", "text": "hi"}, meta.url)
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": received}

    status, answer = running.ask("POST", SEND, json.dumps(receipt).encode(), {**BOT, **JSON})

    assert (status, json.loads(answer)) == (200, {"success": True})
    assert posts(meta) == [receipt]


def test_a_lost_answer_is_reported_with_the_id_of_the_message_when_no_status_comes(
    running: Running, meta: FakeMetaServer
) -> None:
    with ThreadPoolExecutor(2) as pool:
        (status, answer), (_, again) = pool.map(lambda _: send(running, "9990004002", **text("lost")), range(2))

    error = answer["error"]
    [listed] = running.json("/api/messages?status=unknown", bearer())["items"]
    assert (status, error["code"], error["is_transient"]) == (400, 135000, False)
    assert listed["id"] in error["message"]
    assert again["error"]["message"] == error["message"]
    assert len(posts(meta)) == 1


def test_a_lost_answer_is_reported_once_its_status_has_come(running: Running, meta: FakeMetaServer) -> None:
    status, answer = send(running, "9990004001", **text("lost and found"))

    assert status == 200
    assert answer["contacts"] == [{"input": "9990004001", "wa_id": "9990004001"}]
    assert len(posts(meta)) == 1
