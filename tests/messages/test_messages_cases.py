"""What users of other gateways suffered from when they sent, at the door: a gateway, Meta, and an application."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.graph.fake.acting import act
from app.graph.fake.scripts import set_script
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.statuses import FREE_EACH_MONTH
from app.graph.fake.switches import KEY, KIND, set_switches
from tests.media.forms import file, form, upload
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import fake_meta
from tests.support.live import PROFILE, write_config
from tests.support.payload_samples import DIRECT_SENDS, MARKETING, SAMPLES
from tests.support.receiver import Receiver, receiving
from tests.support.serving import Running, environment, serving
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer

pytestmark = pytest.mark.usefixtures("unmeasured")

CALLING = """
    graph: {{ baseUrl: "{meta}" }}
    sending: {{ windowPolicy: "off" }}
    destinations:
      - {{ name: crm, url: "http://127.0.0.1:{port}/", secret: {{ env: TEST_CRM_SECRET }} }}
"""
JSON = {**bearer(), "Content-Type": "application/json"}
EVERY = {**SAMPLES, **DIRECT_SENDS}
WELL, NOBODY, UNUSABLE_MEDIA = "+9990000000", "+4915100000005", "+9990001053"
PICTURE = {"link": "https://cdn.bakery.example/rye.jpg"}


@pytest.fixture(scope="module")
def application() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running_meta() -> Iterator[FakeMetaServer]:
    with fake_meta() as server:
        yield server


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, running_meta: FakeMetaServer, application: Receiver, unmeasured: None
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("cases")
    config = PROFILE + CALLING.format(meta=running_meta.url, port=application.server_port)
    live = ("--config", str(write_config(folder, config)), "--live", "--yes-live", "--workers", "1")
    environ = environment(folder, TEST_CRM_SECRET="crm-secret-0c9d4a17be5f")
    with serving(folder, *live, environ=environ) as running:
        running_meta.control.post_to(f"http://127.0.0.1:{running.port}{PATH}")
        yield running


@pytest.fixture
def meta(running_meta: FakeMetaServer) -> FakeMetaServer:
    """Meta, whose statuses come at once, without the requests of before. It gives no id of a message twice."""
    running_meta.control.journal.clear()
    running_meta.control.meta.state.put(KIND, KEY, {"pace": 0})
    return running_meta


def post(running: Running, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    status, answer = running.ask("POST", f"/api/{path}", json.dumps(body).encode(), {**JSON, **headers})
    return status, json.loads(answer)


def send(running: Running, to: str, text: str = "hi", **fields: Any) -> str:
    """Accept a message: a text unless the fields say otherwise. Return its id."""
    status, message = post(running, "messages", {"to": to, "type": "text", "text": {"body": text}} | fields)
    assert (status, message["status"]) == (202, "queued")
    return str(message["id"])


def send_media(running: Running, to: str, kind: str, media: dict[str, Any]) -> str:
    status, message = post(running, "messages", {"to": to, "type": kind, kind: media})
    assert status == 202, message
    return str(message["id"])


def shown(running: Running, message_id: str) -> dict[str, Any]:
    return dict(running.json(f"/api/messages/{message_id}", bearer()))


def ended(running: Running, message_id: str, status: str) -> dict[str, Any]:
    """Wait until the message has this status, and return it."""
    wait_for(lambda: shown(running, message_id)["status"] == status)
    return shown(running, message_id)


def posted(meta: FakeMetaServer) -> list[dict[str, Any]]:
    """Return the bodies of the messages that Meta was sent."""
    return [json.loads(entry["body"]) for entry in meta.control.journal.entries("/messages")]


def test_a_message_of_every_kind_reaches_meta_as_it_was_written(running: Running, meta: FakeMetaServer) -> None:
    samples = [
        {**sample, "to": f"+49170{at:07}"} if sample.get("to", "").startswith("+") else sample
        for at, sample in enumerate(EVERY.values())
    ]
    wanted = [{"messaging_product": "whatsapp", "recipient_type": "individual", **sample} for sample in samples]

    _, answer = post(running, "messages/batch", {"messages": [{"message": sample} for sample in samples]})

    assert {result["status"] for result in answer["results"]} == {202}
    wait_for(lambda: len(posted(meta)) == len(wanted))
    bodies = posted(meta)
    assert len({body.pop("biz_opaque_callback_data") for body in bodies}) == len(wanted)
    assert [body for body in bodies if body not in wanted] == []
    assert [body for body in wanted if body not in bodies] == []


def test_a_marketing_message_reaches_meta_as_it_was_written(running: Running, meta: FakeMetaServer) -> None:
    body = {"messaging_product": "whatsapp", "recipient_type": "individual", **MARKETING}

    status, _ = post(running, f"graph/v25.0/{NUMBER}/marketing_messages", body)

    [entry] = meta.control.journal.entries(f"{NUMBER}/marketing_messages")
    sent = json.loads(entry["body"])
    assert status == 200
    assert sent.pop("biz_opaque_callback_data").startswith("wats1.")
    assert sent == body


def test_media_that_meta_cannot_use_is_reported_with_its_cure_which_works(
    running: Running, meta: FakeMetaServer
) -> None:
    by_link = ended(running, send_media(running, UNUSABLE_MEDIA, "image", PICTURE), "failed")

    uploaded = upload(running, form(file()))
    by_id = send_media(running, WELL, "image", {"id": uploaded.json["id"]})

    assert (by_link["error"]["code"], by_link["error"]["class"]) == (131053, "content")
    assert by_link["error"]["hint"].startswith("upload the file and send its id")
    assert "could not be downloaded" in by_link["error"]["error_data"]["details"]
    assert "error" not in ended(running, by_id, "read")


def test_a_voice_message_is_ogg_with_opus(running: Running, meta: FakeMetaServer) -> None:
    webm = upload(running, form(file(b"\x1aE\xdf\xa3", "audio/webm", "voice.webm")))
    opus = upload(running, form(file(b"OggS", "audio/ogg; codecs=opus", "voice.ogg")))

    voice = {"id": opus.json["id"], "voice": True}
    sent = send_media(running, WELL, "audio", voice)
    refused = ended(running, send_media(running, UNUSABLE_MEDIA, "audio", voice), "failed")

    assert (webm.status, webm.wrong[0]) == (422, "/file")
    assert "audio/webm" in webm.wrong[1]
    assert "a voice message is audio/ogg; codecs=opus" in webm.wrong[1]
    assert running.json(f"/api/media/{opus.json['id']}", bearer())["mimeType"] == "audio/ogg; codecs=opus"
    assert [entry["status"] for entry in ended(running, sent, "played")["history"]].count("played") == 1
    assert refused["error"]["error_data"]["details"]


def events_of(application: Receiver, wamid: str) -> dict[str, dict[str, Any]]:
    """Return the events about a message that the application was sent, by their type."""
    events = [json.loads(body) for _, _, body in application.received]
    return {event["type"]: event for event in events if event["raw"].get("id") == wamid}


def test_an_accepted_message_that_fails_is_pushed_with_all_that_meta_has_said(
    running: Running, meta: FakeMetaServer, application: Receiver
) -> None:
    set_switches(meta.control.meta.state, {"pace": 1})
    set_script(meta.control.meta, NOBODY, [{"like": "1026", "statuses_after": 60}])
    body = {"to": NOBODY, "type": "text", "text": {"body": "Are you there?"}}

    status, accepted = post(running, "messages", body, Prefer="wait=30")
    meta.control.clock.advance(60)
    meta.control.poster.wake()

    assert (status, accepted["status"]) == (200, "accepted")
    failed = ended(running, accepted["id"], "failed")
    wait_for(lambda: "message.status.failed" in events_of(application, failed["wamid"]))
    [told] = events_of(application, failed["wamid"])["message.status.failed"]["raw"]["errors"]
    assert told["code"] == 131026
    assert {"title", "message", "error_data", "href"} <= told.keys()
    assert {name: failed["error"][name] for name in told} == told
    assert "pricing" not in failed
    assert len(posted(meta)) == 1


def test_an_account_without_a_payment_method_keeps_its_messages_until_it_has_one(
    running: Running, meta: FakeMetaServer
) -> None:
    state, now = meta.control.meta.state, datetime.fromtimestamp(meta.control.clock.now(), UTC)
    state.put("free", f"{NUMBER}:{now:%Y-%m}", FREE_EACH_MONTH - 1)
    set_switches(state, {"no_payment": True})

    free = read_and_priced(running, send(running, "+4915100000001"))
    failed = ended(running, send(running, "+4915100000002"), "failed")
    waiting = send(running, "+4915100000003")
    [pause] = running.json("/api/sending/pauses", bearer())["items"]
    attention = running.json("/status", bearer())["attention"]
    ready, _ = running.ask("GET", "/readyz")
    before = (shown(running, waiting)["status"], len(posted(meta)))

    set_switches(state, {"no_payment": False})
    post(running, f"sending/pauses/{pause['scope']}/resume", {})
    paid = read_and_priced(running, waiting)

    assert (pause["scope"], pause["code"], pause["until"], ready) == (f"waba:{WABA}", 131042, None, 200)
    assert [alert["subject"] for alert in attention if "payment method" in alert["message"]] == [f"waba:{WABA}"]
    assert before == ("queued", 2)
    assert [priced(message) for message in (free, failed, paid)] == [
        ("free_customer_service", "service"),
        None,
        ("regular", "service"),
    ]
    assert len(posted(meta)) == 3


def read_and_priced(running: Running, message_id: str) -> dict[str, Any]:
    """Wait until the message is read, and until an earlier status, which may come later, has told its price."""
    wait_for(lambda: "pricing" in ended(running, message_id, "read"))
    return shown(running, message_id)


def priced(message: dict[str, Any]) -> tuple[str, str] | None:
    """Return what a message costs, in Meta's words; None if Meta has told no price."""
    pricing = message.get("pricing")
    return None if pricing is None else (pricing["type"], pricing["category"])


def test_a_client_that_hangs_up_before_the_answer_finds_its_message_by_the_key(
    running: Running, meta: FakeMetaServer
) -> None:
    body = {"to": "+4915100000004", "type": "text", "text": {"body": "Did you get this?"}}
    contact = "/api/messages?contact=%2B4915100000004"
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, DEADLINE_SECONDS)) as connection:
        connection.request("POST", "/api/messages", json.dumps(body), {**JSON, "Idempotency-Key": "hung-up"})
    wait_for(lambda: running.json(contact, bearer())["items"])

    status, again = post(running, "messages", body, **{"Idempotency-Key": "hung-up"})

    [only] = running.json(contact, bearer())["items"]
    assert (status, again["id"]) == (202, only["id"])
    ended(running, only["id"], "read")
    assert len(posted(meta)) == 1


def test_a_message_whose_answer_was_lost_is_sent_once_and_found_by_its_key(
    running: Running, meta: FakeMetaServer
) -> None:
    body = {"to": "+9990004001", "type": "text", "text": {"body": "Order 71 is ready."}}
    _, lost = post(running, "messages", body, **{"Idempotency-Key": "lost"})
    resolved = ended(running, lost["id"], "read")

    status, again = post(running, "messages", body, **{"Idempotency-Key": "lost"})

    assert (status, again["id"], again["status"]) == (202, lost["id"], "read")
    assert resolved["wamid"].startswith("wamid.")
    assert len(posted(meta)) == 1


def test_a_customer_who_is_known_by_user_id_only_is_answered(
    running: Running, meta: FakeMetaServer, application: Receiver
) -> None:
    asked = {"from": None, "user_id": "DE.13491208655302741918", "type": "text", "text": "Are you open?"}
    wamid = act(meta.control.meta, asked, meta.url)
    wait_for(lambda: "message.text" in events_of(application, wamid))
    contact = events_of(application, wamid)["message.text"]["contact"]

    answer = {"recipient": contact["userId"], "type": "text", "text": {"body": "Until six."}}
    _, message = post(running, "messages", answer)

    assert "waId" not in contact
    ended(running, message["id"], "read")
    [sent] = posted(meta)
    assert (sent["recipient"], "to" in sent) == (contact["userId"], False)
