"""The API of messages: what is accepted, refused, repeated, listed, cancelled and resolved."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from app.config import Flags, Settings, load_settings
from app.domain.message import MessageStatus, queue_of_number
from app.domain.meta.touch import Touch
from app.gateway import Gateway
from app.store import Store
from app.store.tables.message_schema import messages
from app.store.tables.schema import jobs
from app.store.transactions.touch_conversations import touch_conversations
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config
from tests.support.messages import webhook
from tests.support.payload_samples import SAMPLES
from tests.support.payload_templates import body as values_of_body
from tests.support.payload_templates import template
from tests.support.store import NOON, Databases
from tests.support.webhooks import bearer
from tests.support.work import add_events, claim

NUMBERS = ("9876543210", "9876543211")
MORE = """
        - {{ name: sender, token: {{ env: TEST_SENDER_TOKEN }}, scopes: [send] }}
    storage: {{ url: "{url}" }}
    sending: {{ windowPolicy: "{policy}" }}
"""
TO = "+4915112345678"
USER = "DE.13491208655302741918"
TWO_LINES = template(values_of_body("Ada", "Rye\nWheat"))
SENDER = {"Authorization": "Bearer sender-token-51c0d2e7ab984f36"}
QUEUE = queue_of_number(NUMBERS[0])


@pytest.fixture
def policy() -> str:
    return "warn"


@pytest.fixture
def settings(tmp_path: Path, databases: Databases, policy: str) -> Settings:
    """A live profile with two numbers and a token that may only send, on a fresh database of each kind."""
    config = CONFIG.rstrip() + MORE.format(url=databases.empty(), policy=policy)
    config = config.replace('phoneNumberId: "9876543210"', f"phoneNumberIds: {list(NUMBERS)}")
    data = {"TEST_SENDER_TOKEN": "sender-token-51c0d2e7ab984f36", "WATS_DATA_DIR": str(tmp_path / "data")}
    flags = Flags(config=write_config(tmp_path, config), live=True, yes_live=True)
    return load_settings(flags, {**LIVE_ENVIRONMENT, **data})


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return gateway.store


def text(body: str = "hi", **more: Any) -> dict[str, Any]:
    return {"to": TO, "type": "text", "text": {"body": body}, **more}


def send(client: FlaskClient, body: Any, *, key: str | None = None, path: str = "", **headers: str) -> TestResponse:
    keyed = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/api/messages{path}", json=body, headers={**SENDER, **keyed, **headers})


def error_of(response: TestResponse) -> dict[str, Any]:
    return dict(response.get_json()["error"])


def test_a_message_is_accepted(client: FlaskClient, store: Store) -> None:
    response = send(client, text(biz_opaque_callback_data="order 7"))

    message = response.get_json()
    assert response.status_code == 202
    assert response.headers["Location"] == f"/api/messages/{message['id']}"
    assert (message["status"], message["direction"], message["to"]) == ("queued", "outbound", TO)
    assert (message["phoneNumberId"], message["tracker"], message["wamid"]) == (NUMBERS[0], "order 7", None)
    assert [entry["status"] for entry in message["history"]] == ["queued"]
    sent = json.loads(store.messages.body(message["id"]) or b"")
    assert sent == {"messaging_product": "whatsapp", "recipient_type": "individual", **text()}


def test_the_short_form_accepts_a_text(client: FlaskClient, store: Store) -> None:
    response = send(client, {"to": "0049 151", "text": ""}, path="/text")
    assert {field["pointer"] for field in error_of(response)["details"]["fields"]} == {"/to", "/text"}

    message = send(client, {"to": "49 151-12345678", "text": "hi", "previewUrl": True}, path="/text").get_json()

    sent = json.loads(store.messages.body(message["id"]) or b"")
    assert (sent["to"], sent["text"]) == (TO, {"body": "hi", "preview_url": True})
    misspelt = error_of(send(client, {"to": TO, "text": "hi", "previewurl": 1}, path="/text"))["details"]["fields"]
    told = "is not a field that is allowed here"
    assert misspelt == [{"pointer": "/previewurl", "message": told, "hint": "did you mean `previewUrl`?"}]
    chosen = send(client, {"to": TO, "text": "hi", "from": NUMBERS[1]}, path="/text").get_json()
    assert chosen["phoneNumberId"] == NUMBERS[1]


def test_all_mistakes_of_the_short_form_are_told_at_once_as_those_of_a_message_are(client: FlaskClient) -> None:
    wrong = {"to": 1, "text": 2, "previewUrl": "yes", "from": 5, "type": "text"}
    long_form = {"to": 1, "type": "text", "text": {"body": 2, "preview_url": "yes"}, "from": 5}

    short = error_of(send(client, wrong, path="/text"))["details"]["fields"]
    long = error_of(send(client, long_form))["details"]["fields"]

    *same, unknown = short
    assert [field["pointer"] for field in same] == ["/to", "/text", "/previewUrl", "/from"]
    assert [{**field, "pointer": ""} for field in same] == [{**field, "pointer": ""} for field in long]
    hint = "known here: `from`, `previewUrl`, `text`, `to`"
    assert unknown == {"pointer": "/type", "message": "is not a field that is allowed here", "hint": hint}


@pytest.mark.parametrize("path", ["", "/text"])
@pytest.mark.parametrize(("body", "told"), [([], "an array"), ("x", "a string"), (None, "null"), (1, "a number")])
def test_a_body_that_is_no_object_is_told_what_it_is(client: FlaskClient, path: str, body: object, told: str) -> None:
    raw = {**SENDER, "Content-Type": "application/json"}

    refused = client.post(f"/api/messages{path}", data=json.dumps(body), headers=raw)

    assert refused.status_code == 422
    assert error_of(refused)["details"]["fields"] == [{"pointer": "", "message": f"must be an object, not {told}"}]


def test_a_short_form_without_anything_is_told_what_it_needs(client: FlaskClient) -> None:
    fields = error_of(send(client, {}, path="/text"))["details"]["fields"]

    assert {field["pointer"]: field["message"] for field in fields} == {"/to": "is required", "/text": "is required"}
    assert len(fields) == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (text(body="x" * 4097), "/text/body"),
        (text(typ="x"), "/typ"),
        (text(to="015112345678"), "/to"),
        (text(**{"from": "123"}), "/from"),
        ({"to": TO, "type": "text", "image": {"id": "1"}}, "/text"),
        ({"to": TO, "type": "template", "template": TWO_LINES}, "/template/components/0/parameters/1/text"),
    ],
)
def test_a_wrong_message_is_refused_with_a_pointer(
    client: FlaskClient, store: Store, body: object, pointer: str
) -> None:
    response = send(client, body)

    assert response.status_code == 422
    assert error_of(response)["code"] == "invalid_fields"
    assert pointer in [field["pointer"] for field in error_of(response)["details"]["fields"]]
    assert store.messages.page(limit=1) == []


def test_bodies_that_are_no_messages_are_refused(client: FlaskClient) -> None:
    assert send(client, []).status_code == 422
    assert client.post("/api/messages", data="x", headers=SENDER).status_code == 415
    raw = {**SENDER, "Content-Type": "application/json"}
    assert client.post("/api/messages", data="{", headers=raw).status_code == 400
    assert client.post("/api/messages", data=b" " * 1_100_000, headers=raw).status_code == 413


def test_sending_needs_the_scope_send_and_reading_the_scope_read(client: FlaskClient) -> None:
    assert client.post("/api/messages", json=text()).status_code == 401
    assert client.post("/api/messages", json=text(), headers=bearer("TEST_READER_TOKEN")).status_code == 403
    assert client.get("/api/messages", headers=SENDER).status_code == 403


def test_a_repeat_with_the_same_key_gets_the_first_message(client: FlaskClient) -> None:
    first = send(client, text(), key="k")
    repeat = send(client, text(), key="k")
    conflict = send(client, text("ho"), key="k")

    assert repeat.get_json()["id"] == first.get_json()["id"]
    assert (first.headers.get("Idempotency-Replayed"), repeat.headers["Idempotency-Replayed"]) == (None, "true")
    assert (conflict.status_code, error_of(conflict)["code"]) == (409, "idempotency_conflict")
    assert send(client, text(), key="two words").status_code == 400


def test_a_key_is_the_same_whichever_token_a_client_has(client: FlaskClient) -> None:
    first = send(client, text(), key="k")

    repeat = client.post("/api/messages", json=text(), headers={**bearer(), "Idempotency-Key": "k"})

    assert (repeat.status_code, repeat.get_json()["id"]) == (202, first.get_json()["id"])
    assert repeat.headers["Idempotency-Replayed"] == "true"


def test_fifty_requests_with_one_key_at_once_make_one_message(app: Flask, store: Store) -> None:
    def one(_: int) -> TestResponse:
        return send(app.test_client(), text(), key="k")

    with ThreadPoolExecutor(10) as pool:
        responses = list(pool.map(one, range(50)))

    assert {response.status_code for response in responses} == {202}
    assert len({response.get_json()["id"] for response in responses}) == 1
    assert sum("Idempotency-Replayed" in response.headers for response in responses) == 49
    assert len(claim(store, QUEUE)) == 1


def test_each_message_of_a_batch_has_its_own_result(client: FlaskClient, store: Store) -> None:
    send(client, text("known"), key="a")
    batch = [
        {"message": text("new"), "idempotencyKey": "b"},
        {"message": text("known"), "idempotencyKey": "a"},
        {"message": text("other"), "idempotencyKey": "a"},
        {"message": text("")},
        {"message": text("free", to="+4915199")},
    ]

    response = send(client, {"messages": batch}, path="/batch")

    results = response.get_json()["results"]
    assert response.status_code == 200
    assert [result["status"] for result in results] == [202, 202, 409, 422, 202]
    assert [result.get("replayed") for result in results] == [None, True, None, None, None]
    assert results[3]["error"]["details"]["fields"][0]["pointer"] == "/message/text/body"
    assert len(store.messages.page(limit=9)) == 3


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": {}}, []])
def test_a_batch_without_messages_is_refused(client: FlaskClient, body: object) -> None:
    assert send(client, body, path="/batch").status_code == 422


def test_a_wrong_item_of_a_batch_costs_none_of_the_others(client: FlaskClient) -> None:
    wrong: dict[str, Any] = {
        "/idempotencyKey": {"message": text(), "idempotencyKey": "two words"},
        "/idempotencykey": {"message": text(), "idempotencykey": "a"},
        "/message": {"message": 1},
        "/message/typ": {"message": text(typ="x")},
        "": None,
    }

    response = send(client, {"messages": [*wrong.values(), {}, {"message": text()}]}, path="/batch")

    *refused, missing, accepted = response.get_json()["results"]
    assert (accepted["status"], response.status_code) == (202, 200)
    assert [result["error"]["details"]["fields"][0]["pointer"] for result in refused] == list(wrong)
    assert {result["status"] for result in (*refused, missing)} == {422}
    assert refused[1]["error"]["details"]["fields"][0]["hint"] == "did you mean `idempotencyKey`?"


def test_a_thousand_messages_are_one_batch(client: FlaskClient, store: Store) -> None:
    batch = [{"message": text("x" * 1200, to=f"+49151{number:06}")} for number in range(1000)]

    results = send(client, {"messages": batch}, path="/batch").get_json()["results"]

    assert {result["status"] for result in results} == {202}
    assert send(client, {"messages": [*batch, batch[0]]}, path="/batch").status_code == 422
    refused = send(client, {"messages": ["x" * 2**22]}, path="/batch")
    assert refused.status_code == 413
    assert refused.get_json()["error"]["message"] == (
        "The body is larger than 4194304 bytes; divide the messages among several batches."
    )
    assert len({message.id for message in store.messages.page(limit=2000)}) == 1000


def test_hints_are_searched_for_the_first_mistakes_of_a_batch_only(client: FlaskClient) -> None:
    misspelt = {f"idempotencyKye{number}": 1 for number in range(60)}
    of_message, of_item = {"message": {**text(), **misspelt}}, {"message": text(), **misspelt}

    results = send(client, {"messages": [of_item, of_message, of_message]}, path="/batch").get_json()["results"]

    found = [result["error"]["details"]["fields"] for result in results]
    assert [len(fields) for fields in found] == [50] * 3
    with_hint = [field for fields in found for field in fields if "hint" in field]
    assert with_hint == [*found[0], *found[1]]


def order(expires_at: datetime) -> dict[str, Any]:
    """Return a message with an order that is to be paid until then."""
    body = copy.deepcopy(SAMPLES["interactive order_details"])
    body["interactive"]["action"]["parameters"]["order"]["expiration"]["timestamp"] = str(int(expires_at.timestamp()))
    return {**body, "to": TO}


def test_an_order_that_has_expired_is_refused_at_its_place(client: FlaskClient, store: Store) -> None:
    now = datetime.now(UTC)
    batch = [{"message": order(now + timedelta(days=at))} for at in (-1, 1)]

    refused = send(client, order(now - timedelta(days=1)), key="k1")
    items = send(client, {"messages": batch}, path="/batch").get_json()["results"]

    [field] = error_of(refused)["details"]["fields"]
    assert (refused.status_code, error_of(refused)["code"]) == (422, "invalid_fields")
    assert field["pointer"] == "/interactive/action/parameters/order/expiration/timestamp"
    assert field["message"].startswith("must be at least 300 seconds ahead; ")
    assert "seconds since 1970" in field["hint"]
    assert [item["status"] for item in items] == [422, 202]
    assert len(store.messages.page(limit=9)) == 1
    assert send(client, order(now + timedelta(days=1)), key="k1").status_code == 202


def customer_wrote(store: Store, ago: timedelta, wamid: str = "wamid.in") -> None:
    at = str(int((datetime.now(UTC) - ago).timestamp()))
    written = {"id": wamid, "from": TO[1:], "timestamp": at, "type": "text", "text": {"body": "hi"}}
    add_events(store, *webhook(number=NUMBERS[0], messages=[written]))


def test_a_message_to_somebody_who_was_never_heard_of_is_accepted_with_a_warning(client: FlaskClient) -> None:
    assert "no message or call" in send(client, text()).get_json()["warnings"][0]


def test_a_message_inside_the_window_has_no_warning(client: FlaskClient, store: Store) -> None:
    customer_wrote(store, timedelta(hours=23))

    assert "warnings" not in send(client, text()).get_json()


def test_the_window_is_open_under_every_name_that_metas_answer_has_linked(client: FlaskClient, store: Store) -> None:
    customer_wrote(store, timedelta(hours=23))
    store.write(lambda c: touch_conversations(c, NOON, [Touch(NUMBERS[0], (USER, TO[1:]))]))

    by_user_id = client.get(f"/api/conversations/{USER}/window", headers=bearer()).get_json()

    assert by_user_id["open"]
    assert "warnings" not in send(client, {"recipient": USER, "type": "text", "text": {"body": "hi"}}).get_json()


def test_a_message_outside_the_window_is_warned_of(client: FlaskClient, store: Store) -> None:
    customer_wrote(store, timedelta(hours=25))

    assert "window closed at" in send(client, text()).get_json()["warnings"][0]
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    assert "warnings" not in send(client, {"to": TO, "type": "template", "template": template}).get_json()


@pytest.mark.parametrize("policy", ["enforce"])
def test_a_message_outside_the_window_is_refused_where_the_profile_says_so(client: FlaskClient, store: Store) -> None:
    assert send(client, text()).status_code == 202
    customer_wrote(store, timedelta(hours=25))

    response = send(client, text())

    assert (response.status_code, error_of(response)["code"]) == (422, "window_closed")
    assert set(error_of(response)["details"]) == {"lastInboundAt", "expiresAt"}


@pytest.mark.parametrize("policy", ["enforce"])
def test_a_key_gets_its_message_also_after_the_window_has_closed(client: FlaskClient, store: Store) -> None:
    accepted = send(client, text(), key="k1").get_json()
    customer_wrote(store, timedelta(hours=25))

    repeated = send(client, text(), key="k1")

    assert (repeated.status_code, repeated.get_json()["id"]) == (202, accepted["id"])


@pytest.mark.parametrize("policy", ["enforce"])
def test_a_message_that_the_window_forbids_uses_no_key(client: FlaskClient, store: Store) -> None:
    customer_wrote(store, timedelta(hours=25))
    refused = send(client, text(), key="k1")
    customer_wrote(store, timedelta(hours=1), "wamid.later")

    accepted = send(client, text("something else"), key="k1")

    assert (refused.status_code, accepted.status_code) == (422, 202)


def test_waiting_ends_with_the_answer(client: FlaskClient, store: Store) -> None:
    accepted = send(client, text(), key="k").get_json()
    store.write(lambda c: c.execute(update(messages).values(status="accepted", wamid="wamid.A/=")))

    answered = send(client, text(), key="k", Prefer="respond-async, wait=30")

    assert answered.status_code == 200
    assert (answered.get_json()["id"], answered.get_json()["status"]) == (accepted["id"], "accepted")
    shown = client.get("/api/messages/wamid.A/=", headers=bearer())
    assert shown.get_json()["id"] == accepted["id"]


def test_a_wait_is_read_as_rfc_7240_writes_it(client: FlaskClient, store: Store) -> None:
    send(client, text(), key="k")
    store.write(lambda c: c.execute(update(messages).values(status="accepted", wamid="wamid.A")))
    written = ("wait=100", "Wait=2", 'wait="2"', "respond-async,wait = 2; x=1", "wait=9, wait=x", "wait=x", "wait=0")

    statuses = [send(client, text(), key="k", Prefer=prefer).status_code for prefer in written]

    assert statuses == [200, 200, 200, 200, 200, 202, 202]


def test_waiting_is_answered_with_200_only_where_meta_has_answered(client: FlaskClient, store: Store) -> None:
    send(client, text(), key="k")
    ended = []

    for status in ("unknown", "cancelled", "expired", "failed"):
        values = {"status": status, "wamid": None}
        store.write(lambda c, values=values: c.execute(update(messages).values(**values)))
        ended.append(send(client, text(), key="k", Prefer="wait=30").status_code)

    assert ended == [202, 202, 202, 200]


def test_waiting_for_nothing_ends_with_the_time(client: FlaskClient) -> None:
    response = send(client, text(), Prefer="wait=1")

    assert (response.status_code, response.get_json()["status"]) == (202, "queued")


def pages(client: FlaskClient, query: str) -> Iterator[list[str]]:
    cursor = ""
    while cursor is not None:
        page = client.get(
            f"/api/messages?limit=2&{query}{cursor and f'&cursor={cursor}'}", headers=bearer()
        ).get_json()
        yield [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]


def test_messages_are_listed_in_pages_from_the_newest(client: FlaskClient, store: Store) -> None:
    ids = [send(client, text(to=f"+4915112345{number % 2}")).get_json()["id"] for number in range(5)]

    assert [each for page in pages(client, "") for each in page] == ids[::-1]
    assert [each for page in pages(client, "contact=%2B49151123450") for each in page] == ids[4::-2]
    assert list(pages(client, "status=failed")) == [[]]
    for query in ("status=lost", "contact=", "direction=up", "cursor=!"):
        assert client.get(f"/api/messages?{query}", headers=bearer()).status_code == 400


def test_messages_of_customers_are_listed_beside_those_to_them(client: FlaskClient, store: Store) -> None:
    sent = send(client, text()).get_json()["id"]
    customer_wrote(store, timedelta(hours=1))

    listed = client.get("/api/messages", headers=bearer()).get_json()["items"]
    [received] = client.get("/api/messages?status=received", headers=bearer()).get_json()["items"]

    assert {item["id"] for item in listed} == {sent, received["id"]}
    assert (received["direction"], received["status"], received["type"]) == ("inbound", "received", "text")
    assert (received["contact"]["waId"], received["data"]["text"]["body"]) == (TO[1:], "hi")
    assert [entry["status"] for entry in received["history"]] == ["received"]
    for message_id in ("wamid.in", received["id"]):
        assert client.get(f"/api/messages/{message_id}", headers=bearer()).get_json() == received
    for query, ids in (
        ("direction=inbound", [received["id"]]),
        ("direction=outbound", [sent]),
        ("direction=inbound&status=failed", []),
        ("direction=outbound&status=received", []),
    ):
        page = client.get(f"/api/messages?{query}", headers=bearer()).get_json()
        assert ([item["id"] for item in page["items"]], page["nextCursor"]) == (ids, None)


def test_a_conversation_is_shown_both_ways(client: FlaskClient, store: Store) -> None:
    sent = send(client, text()).get_json()["id"]
    send(client, text(to="+4915199"))
    customer_wrote(store, timedelta(hours=1))
    path = f"/api/conversations/{TO}/messages"

    first = client.get(f"{path}?limit=1", headers=bearer()).get_json()
    second = client.get(f"{path}?limit=1&cursor={first['nextCursor']}", headers=bearer()).get_json()

    both = [*first["items"], *second["items"]]
    assert {item["direction"] for item in both} == {"inbound", "outbound"}
    assert (sent in [item["id"] for item in both], second["nextCursor"]) == (True, None)
    other = client.get(f"{path}?phoneNumberId={NUMBERS[1]}", headers=bearer()).get_json()
    assert other["items"] == []
    for query in ("phoneNumberId=1", "direction=up", "cursor=MQ", "limit=0"):
        assert client.get(f"{path}?{query}", headers=bearer()).status_code == 400
    assert client.get("/api/conversations/%20/messages", headers=bearer()).status_code == 400
    assert client.get(path, headers=SENDER).status_code == 403


def test_an_unknown_message_is_not_found(client: FlaskClient) -> None:
    for path in ("msg_" + "0" * 32, "wamid.x", "a%00b", "%ED%A0%80", "x" * 2000):
        assert client.get(f"/api/messages/{path}", headers=bearer()).status_code == 404


def test_a_queued_message_is_cancelled(client: FlaskClient, store: Store) -> None:
    first, second = (send(client, text()).get_json()["id"] for _ in range(2))

    cancelled = client.post(f"/api/messages/{first}/cancel", headers=SENDER)
    again = client.post(f"/api/messages/{first}/cancel", headers=SENDER)

    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")
    assert again.status_code == 200
    assert [job.subject for job in claim(store, QUEUE)] == [2]
    claimed = client.post(f"/api/messages/{second}/cancel", headers=SENDER)
    assert (claimed.status_code, error_of(claimed)["code"]) == (409, "not_queued")
    assert "this one is being sent" in error_of(claimed)["message"]


def make_unknown(store: Store, message_id: str) -> None:
    for job in claim(store, QUEUE):
        store.jobs.hand_back([job])
    message = store.messages.get(message_id)
    assert message is not None
    store.messages.cancel(message)
    store.write(lambda c: c.execute(update(messages).values(status="unknown", wamid=None)))


def test_an_unknown_message_is_resolved(client: FlaskClient, store: Store) -> None:
    message_id = send(client, text()).get_json()["id"]
    resolve = f"/api/messages/{message_id}/resolve"

    assert error_of(client.post(resolve, json={"as": "failed"}, headers=bearer()))["code"] == "not_unknown"
    make_unknown(store, message_id)
    assert client.post(resolve, json={"as": "lost"}, headers=bearer()).status_code == 422
    assert client.post(resolve, json={"as": "failed"}, headers=SENDER).status_code == 403
    young = client.post(resolve, json={"as": "resend"}, headers=bearer())
    assert (young.status_code, error_of(young)["code"]) == (409, "too_young")

    again = client.post(resolve, json={"as": "resend", "force": True}, headers=bearer())
    assert (again.status_code, again.get_json()["status"]) == (200, "queued")
    assert store.messages.page(limit=1)[0].resends == 1
    assert len(claim(store, QUEUE)) == 1


def test_an_unknown_message_fails_by_decision(client: FlaskClient, store: Store) -> None:
    message_id = send(client, text()).get_json()["id"]
    make_unknown(store, message_id)

    failed = client.post(f"/api/messages/{message_id}/resolve", json={"as": "failed"}, headers=bearer())

    assert failed.get_json()["status"] == MessageStatus.FAILED
    assert claim(store, QUEUE) == []


def resolve_all(client: FlaskClient, decision: str, **selection: Any) -> Any:
    response = client.post("/api/messages/resolve", json={"as": decision, **selection}, headers=bearer())
    assert response.status_code == 200
    return response.get_json()


def test_all_unknown_messages_of_a_selection_are_decided_at_once(client: FlaskClient, store: Store) -> None:
    batch = [{"message": text(to=f"+4915112345{number % 2}")} for number in range(1000)]
    sent = send(client, {"messages": batch}, path="/batch").get_json()["results"]
    store.write(lambda c: (c.execute(delete(jobs)), c.execute(update(messages).values(status="unknown"))))
    at = sent[0]["message"]["createdAt"]
    one = {"contact": "+49151123450", "since": at}

    trial = resolve_all(client, "failed", dryRun=True, **one)
    young = resolve_all(client, "resend", **one)
    first = resolve_all(client, "failed", **one)
    nothing = resolve_all(client, "failed", until=at)
    again = resolve_all(client, "resend", force=True)

    assert trial == {"matched": 500, "changed": 0, "young": 0, "nextCursor": trial["nextCursor"]}
    assert (young["matched"], young["young"]) == (0, 500)
    assert (first["matched"], first["changed"]) == (500, 500)
    assert resolve_all(client, "failed", cursor=first["nextCursor"], **one)["nextCursor"] is None
    assert (nothing["matched"], again["changed"]) == (0, 500)
    assert {message.status for message in store.messages.page(contact="49151123450", limit=999)} == {"failed"}
    [queued] = {
        (message.status, message.resends) for message in store.messages.page(contact="49151123451", limit=999)
    }
    assert (queued, len(claim(store, QUEUE))) == (("queued", 1), 1)


def test_queued_messages_of_a_restored_backup_are_made_unknown_or_cancelled(
    client: FlaskClient, store: Store
) -> None:
    for number in range(3):
        send(client, text(to=f"+4915112345{number}"))
    send(client, text(**{"from": NUMBERS[1]}))
    [claimed] = claim(store, queue_of_number(NUMBERS[1]))

    made = [resolve_all(client, "unknown", contact="+49151123450"), resolve_all(client, "cancelled")]

    assert [(step["matched"], step["changed"]) for step in made] == [(1, 1), (3, 2)]
    statuses = [message.status for message in store.messages.page(limit=9)]
    assert statuses == ["queued", "cancelled", "cancelled", "unknown"]
    assert claim(store, QUEUE) == []
    assert claimed.subject == 4


def test_a_wrong_selection_is_refused(client: FlaskClient) -> None:
    for body, status in (
        ({"as": "lost"}, 422),
        ({}, 422),
        ({"as": "failed", "typo": 1}, 422),
        ({"as": "failed", "cursor": "!"}, 400),
        ({"as": "failed", "contact": " "}, 400),
    ):
        assert client.post("/api/messages/resolve", json=body, headers=bearer()).status_code == status
    assert client.post("/api/messages/resolve", json={"as": "failed"}, headers=SENDER).status_code == 403


@pytest.mark.parametrize("contact", ["00ab", "004915112345678", "015112345678", "+0", "1234"])
def test_the_window_of_what_can_be_no_contact_is_refused_with_a_hint(client: FlaskClient, contact: str) -> None:
    refused = client.get(f"/api/conversations/{contact}/window", headers=bearer())

    assert (refused.status_code, error_of(refused)["code"]) == (400, "invalid_parameter")
    assert "such as +491701234567, a user id or a group's id" in error_of(refused)["message"]


@pytest.mark.parametrize("contact", ["49151 12345678", "+4915112345678", USER, "Y2FwaV9ncm91cDo=", "group1"])
def test_the_window_of_a_stranger_is_closed(client: FlaskClient, contact: str) -> None:
    window = client.get(f"/api/conversations/{contact}/window", headers=bearer()).get_json()

    assert (window["open"], window["lastInboundAt"]) == (False, None)


def test_conversations_and_their_windows_are_shown(client: FlaskClient, store: Store) -> None:
    customer_wrote(store, timedelta(hours=23))
    old = {"id": "wamid.old", "from": "4915199", "timestamp": "1764000000", "type": "text", "text": {"body": "hi"}}
    add_events(store, *webhook(number=NUMBERS[1], messages=[old]))

    first = client.get("/api/conversations?limit=1", headers=bearer()).get_json()
    second = client.get(f"/api/conversations?limit=1&cursor={first['nextCursor']}", headers=bearer()).get_json()
    windows = [
        client.get(f"/api/conversations/{contact}/window{query}", headers=bearer()).get_json()
        for contact, query in (
            (TO, ""),
            ("4915199", f"?phoneNumberId={NUMBERS[1]}"),
            (TO, f"?phoneNumberId={NUMBERS[1]}"),
        )
    ]

    assert [page["items"][0]["waId"] for page in (first, second)] == ["4915199", TO[1:]]
    assert [window["open"] for window in windows] == [True, False, False]
    assert 0 < windows[0]["remainingSeconds"] <= 3600
    assert (windows[1]["remainingSeconds"], windows[2]["lastInboundAt"]) == (0, None)
    for path in ("conversations?cursor=!", f"conversations/{TO}/window?phoneNumberId=1", "conversations/%20/window"):
        assert client.get(f"/api/{path}", headers=bearer()).status_code == 400
    assert client.get("/api/conversations", headers=SENDER).status_code == 403
