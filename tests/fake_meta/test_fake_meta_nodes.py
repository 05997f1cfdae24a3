"""What the fake Meta answers to calls that send nothing: numbers, media, templates, subscriptions and others."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.graph.fake.routes import answer
from app.graph.fake.samples import SAMPLES
from app.graph.fake.wire import Answer, Call
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS, TOKEN, CalledMeta, error_of, message

TEMPLATE = {
    "name": "order_update",
    "language": "en_US",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Order {{1}} of {{2}}"}],
}


def data(answer: Answer) -> Any:
    return json.loads(answer.body)


def upload(
    meta: CalledMeta, content: bytes = b"\x89PNG\r\n--x", mime_type: str = "image/png", **fields: str
) -> Answer:
    parts = {"messaging_product": "whatsapp", **fields}
    lines = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in parts.items()]
    head = (
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: {mime_type}\r\n\r\n'
    )
    body = b"".join([*lines, head.encode(), content, b"\r\n--b--\r\n"])
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "multipart/form-data; boundary=b"}
    return answer(meta.meta, Call("POST", f"{NUMBER}/media", {}, headers, body))


def follow(meta: CalledMeta, url: str, token: str | None = TOKEN) -> Answer:
    parts = urlsplit(url)
    return meta.ask("GET", parts.path.lstrip("/"), token=token, **dict(parse_qsl(parts.query)))


def test_a_file_is_kept_announced_fetched_and_deleted(meta: CalledMeta) -> None:
    media_id = data(upload(meta))["id"]
    told = data(meta.ask("GET", media_id))
    fetched = follow(meta, told["url"])

    assert fetched.body == b"\x89PNG\r\n--x"
    assert fetched.headers["Content-Type"] == "image/png"
    assert (told["sha256"], told["file_size"]) == (hashlib.sha256(fetched.body).hexdigest(), len(fetched.body))
    assert data(meta.ask("DELETE", media_id)) == {"success": True}
    assert error_of(meta.ask("GET", media_id))["error_subcode"] == 33


def test_the_address_of_a_file_wants_the_token_and_ends_after_five_minutes(meta: CalledMeta) -> None:
    url = data(meta.ask("GET", data(upload(meta))["id"]))["url"]

    stranger = follow(meta, url, token=None)
    meta.clock.advance(300)
    late = follow(meta, url)

    assert (stranger.status, late.status) == (401, 404)
    assert stranger.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("content", "mime_type", "fields", "told"),
    [
        (b"x", "audio/webm", {}, "audio/webm"),
        (b"x" * (500 * 1024 + 1), "image/webp", {}, "image/webp"),
        (b"x", "image/png", {"messaging_product": "sms"}, "messaging_product"),
    ],
)
def test_a_file_that_whatsapp_does_not_take_is_refused(
    meta: CalledMeta, content: bytes, mime_type: str, fields: dict[str, str], told: str
) -> None:
    error = error_of(upload(meta, content, mime_type, **fields))

    assert (error["code"], told in error["error_data"]) == (100, True)


def test_the_type_of_a_voice_note_keeps_its_parameter(meta: CalledMeta) -> None:
    media_id = data(upload(meta, mime_type="audio/ogg; codecs=opus"))["id"]

    assert data(meta.ask("GET", media_id))["mime_type"] == "audio/ogg; codecs=opus"


def test_a_file_that_was_not_uploaded_can_be_sent_unless_media_are_strict(meta: CalledMeta) -> None:
    friendly = meta.send(type="image", image={"id": "1"})
    meta.switch(media="strict")
    strict = meta.send(type="image", image={"id": "1"})
    uploaded = meta.send(type="image", image={"id": data(upload(meta))["id"]})

    assert [friendly.status, strict.status, uploaded.status] == [200, 400, 200]


def test_a_resumable_upload_goes_on_where_it_was_cut(meta: CalledMeta) -> None:
    query = {"file_name": "a.png", "file_length": "6", "file_type": "image/png"}
    session = data(meta.ask("POST", f"{ACCOUNTS.app_id}/uploads", **query))["id"].partition("?")[0]

    def send(offset: str, content: bytes) -> Answer:
        headers = {"authorization": f"OAuth {TOKEN}", "file_offset": offset}
        return answer(meta.meta, Call("POST", session, {"sig": "x"}, headers, content))

    first, wrong = send("0", b"abc"), send("0", b"def")
    resumed = data(meta.ask("GET", session))
    whole = send("3", b"def")

    assert (first.status, wrong.status) == (200, 400)
    assert resumed == {"id": session, "file_offset": 3}
    assert data(whole)["h"].startswith("4::")


def test_a_template_is_pending_and_then_approved_with_a_webhook(meta: CalledMeta) -> None:
    created = data(meta.ask("POST", f"{WABA}/message_templates", TEMPLATE))
    pending = data(meta.ask("GET", created["id"]))["status"]
    meta.clock.advance(1)
    approved = data(meta.ask("GET", created["id"]))["status"]

    assert (created["status"], pending, approved) == ("PENDING", "PENDING", "APPROVED")
    [(after, change)] = meta.outlet.planned
    assert (after, change.field) == (1, "message_template_status_update")
    assert change.value["event"] == "APPROVED"
    assert change.value["message_template_id"] == int(created["id"])


def test_a_template_may_be_rejected_or_paused_at_its_third_send(meta: CalledMeta) -> None:
    for name in ("reject_me", "pause_me"):
        meta.ask("POST", f"{WABA}/message_templates", {**TEMPLATE, "name": name, "components": [{"type": "BODY"}]})
    meta.clock.advance(1)

    def send(name: str) -> int:
        return int(meta.send(type="template", template={"name": name, "language": {"code": "en_US"}}).status)

    assert send("reject_me") == 404
    assert [send("pause_me") for _ in range(4)] == [200, 200, 400, 400]
    assert [change.value["event"] for _, change in meta.outlet.planned if change.field != "messages"] == [
        "REJECTED",
        "APPROVED",
        "PAUSED",
    ]


def test_a_template_that_was_just_made_can_be_sent_unless_templates_are_strict(meta: CalledMeta) -> None:
    meta.ask("POST", f"{WABA}/message_templates", {**TEMPLATE, "name": "new", "components": [{"type": "BODY"}]})
    template = {"name": "new", "language": {"code": "en_US"}}

    friendly = meta.send(type="template", template=template)
    meta.switch(templates="strict")
    strict = meta.send(type="template", template=template)

    assert (friendly.status, strict.status) == (200, 404)


@pytest.mark.parametrize(("count", "status"), [(2, 200), (1, 400)])
def test_a_template_wants_as_many_parameters_as_it_has_placeholders(
    meta: CalledMeta, count: int, status: int
) -> None:
    meta.ask("POST", f"{WABA}/message_templates", TEMPLATE)
    meta.clock.advance(1)
    body = {"type": "body", "parameters": [{"type": "text", "text": "x"}] * count}

    answer = meta.send(
        type="template", template={"name": "order_update", "language": {"code": "en_US"}, "components": [body]}
    )

    assert answer.status == status


def test_a_template_that_nobody_created_is_refused_where_templates_are_strict(meta: CalledMeta) -> None:
    meta.switch(templates="strict")

    error = error_of(meta.send(type="template", template={"name": "nobody", "language": {"code": "de"}}))

    assert error["code"] == 132001
    assert error["error_data"]["details"] == "template name (nobody) does not exist in de"


def test_the_address_of_the_next_page_holds_the_token(meta: CalledMeta) -> None:
    for name in ("a", "b", "c"):
        meta.ask("POST", f"{WABA}/message_templates", {**TEMPLATE, "name": name})

    first = data(meta.ask("GET", f"{WABA}/message_templates", limit="2"))
    query = dict(parse_qsl(urlsplit(first["paging"]["next"]).query))
    second = data(meta.ask("GET", f"{WABA}/message_templates", token=None, **query))

    assert query["access_token"] == TOKEN
    assert [template["name"] for page in (first, second) for template in page["data"]] == ["a", "b", "c"]
    assert "next" not in second["paging"]


def test_a_template_is_changed_and_deleted_by_name(meta: CalledMeta) -> None:
    created = data(meta.ask("POST", f"{WABA}/message_templates", TEMPLATE))

    changed = meta.ask("POST", created["id"], {"category": "MARKETING"})
    category = data(meta.ask("GET", created["id"]))["category"]
    deleted = meta.ask("DELETE", f"{WABA}/message_templates", name="order_update")
    again = meta.ask("DELETE", f"{WABA}/message_templates", name="order_update")

    assert (data(changed), category, data(deleted)) == ({"success": True}, "MARKETING", {"success": True})
    assert error_of(again)["code"] == 100


def test_a_number_is_returned_with_the_fields_that_were_asked_for(meta: CalledMeta) -> None:
    usual = data(meta.ask("GET", NUMBER))
    asked = data(meta.ask("GET", NUMBER, fields="health_status,throughput"))
    listed = data(meta.ask("GET", f"{WABA}/phone_numbers"))["data"]

    assert usual["display_phone_number"] == "+1 555-000-1111"
    assert "health_status" not in usual
    assert set(asked) == {"id", "health_status", "throughput"}
    assert [number["id"] for number in listed] == [number.id for number in ACCOUNTS.numbers]


def test_an_account_is_described(meta: CalledMeta) -> None:
    assert data(meta.ask("GET", WABA))["id"] == WABA
    assert data(meta.ask("POST", f"{NUMBER}/register", {"pin": "123456"})) == {"success": True}


@pytest.mark.parametrize(("presented", "is_valid"), [(TOKEN, True), ("another", False)])
def test_a_token_is_described(meta: CalledMeta, presented: str, is_valid: bool) -> None:
    told = data(meta.ask("GET", "debug_token", input_token=presented))["data"]

    assert (told["is_valid"], bool(told["granular_scopes"])) == (is_valid, is_valid)


def test_an_app_gets_its_token_for_its_secret(meta: CalledMeta) -> None:
    query = {"client_id": ACCOUNTS.app_id, "client_secret": ACCOUNTS.app_secret}

    right = meta.ask("GET", "oauth/access_token", token=None, **query)
    wrong = meta.ask("GET", "oauth/access_token", token=None, **{**query, "client_secret": "x"})

    assert data(right)["access_token"].startswith(f"{ACCOUNTS.app_id}|")
    assert wrong.status == 400


@pytest.mark.parametrize(
    ("token", "code"), [(None, 104), ("expired-long-ago", 190), ("of somebody else", 190), (TOKEN, 2500)]
)
def test_a_call_needs_a_token_and_a_path_that_there_is(meta: CalledMeta, token: str | None, code: int) -> None:
    assert error_of(meta.ask("GET", "no/such/path", token=token))["code"] == code


def test_an_account_is_subscribed_and_unsubscribed(meta: CalledMeta) -> None:
    path = f"{WABA}/subscribed_apps"

    before = data(meta.ask("GET", path))["data"]
    meta.ask("POST", path)
    [app] = data(meta.ask("GET", path))["data"]
    meta.ask("DELETE", path)

    assert (before, data(meta.ask("GET", path))["data"]) == ([], [])
    assert app["whatsapp_business_api_data"]["id"] == ACCOUNTS.app_id


def test_an_address_is_taken_if_it_answers_the_challenge(meta: CalledMeta) -> None:
    body = {"object": "whatsapp_business_account", "callback_url": "https://x.example/hook", "verify_token": "v"}

    refused = meta.ask("POST", f"{ACCOUNTS.app_id}/subscriptions", body)
    meta.outlet.answer = lambda url: (200, dict(parse_qsl(urlsplit(url).query))["hub.challenge"].encode())
    taken = meta.ask("POST", f"{ACCOUNTS.app_id}/subscriptions", body)

    assert error_of(refused)["message"].endswith("HTTP Status Code = 404")
    assert data(taken) == {"success": True}
    assert meta.outlet.asked[0].startswith("https://x.example/hook?hub.mode=subscribe&")


def test_a_user_is_blocked_and_unblocked(meta: CalledMeta) -> None:
    users = {"messaging_product": "whatsapp", "block_users": [{"user": "+4915112345678"}]}

    blocked = data(meta.ask("POST", f"{NUMBER}/block_users", users))["block_users"]
    listed = data(meta.ask("GET", f"{NUMBER}/block_users"))["data"]
    freed = data(meta.ask("DELETE", f"{NUMBER}/block_users", users))["block_users"]

    assert blocked == {"added_users": [{"input": "+4915112345678", "wa_id": "4915112345678"}]}
    assert [user["wa_id"] for user in listed] == ["4915112345678"]
    assert list(freed) == ["removed_users"]
    assert data(meta.ask("GET", f"{NUMBER}/block_users")) == {"data": []}


def test_a_profile_and_a_code_are_kept(meta: CalledMeta) -> None:
    meta.ask("POST", f"{NUMBER}/whatsapp_business_profile", {"messaging_product": "whatsapp", "about": "We bake"})
    made = data(meta.ask("POST", f"{NUMBER}/message_qrdls", {"prefilled_message": "Hi", "generate_qr_image": "PNG"}))
    listed = data(meta.ask("GET", f"{NUMBER}/message_qrdls"))["data"]
    deleted = meta.ask("DELETE", f"{NUMBER}/message_qrdls/{made['code']}")

    [profile] = data(meta.ask("GET", f"{NUMBER}/whatsapp_business_profile", fields="about"))["data"]
    assert profile == {"about": "We bake", "messaging_product": "whatsapp"}
    assert (listed, deleted.status) == ([made], 200)
    assert meta.ask("DELETE", f"{NUMBER}/message_qrdls/{made['code']}").status == 400


def test_the_history_of_a_message_is_found_by_its_wamid_only(meta: CalledMeta) -> None:
    wamid = data(meta.send(biz_opaque_callback_data="wats1.x.1"))["messages"][0]["id"]
    meta.clock.advance(1)

    answer = meta.ask("GET", f"{NUMBER}/message_history", message_id=wamid)
    unknown = meta.ask("GET", f"{NUMBER}/message_history", message_id="wamid.x")
    meta.switch(has_history=False)
    off = meta.ask("GET", f"{NUMBER}/message_history", message_id=wamid)

    [told] = data(answer)["data"]
    assert [event["delivery_status"] for event in told["events"]["data"]] == ["SENT", "DELIVERED"]
    assert b"wats1" not in answer.body
    assert data(unknown) == {"data": []}
    assert error_of(off)["code"] == 10


def test_fields_of_a_form_and_of_the_query_are_read_as_those_of_json_are(meta: CalledMeta) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-www-form-urlencoded"}
    query = {"messaging_product": "whatsapp", "to": "+4915112345678"}

    taken = answer(meta.meta, Call("POST", f"{NUMBER}/messages", query, headers, b'text={"body":"hi"}'))

    assert taken.status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"'])
def test_a_body_that_is_no_object_is_refused(meta: CalledMeta, body: bytes) -> None:
    assert error_of(meta.ask("POST", f"{NUMBER}/messages", body))["code"] == 100


def test_another_accounts_number_does_not_exist(meta: CalledMeta) -> None:
    error = error_of(meta.ask("POST", "123/messages", message()))

    assert (error["code"], error["error_subcode"], error["type"]) == (100, 33, "GraphMethodException")


def test_a_group_has_its_participants_in_its_statuses(meta: CalledMeta) -> None:
    group = data(meta.ask("POST", f"{NUMBER}/groups", {"messaging_product": "whatsapp", "subject": "Bakers"}))["id"]

    sent = meta.send(group, recipient_type="group")

    assert data(sent)["messages"][0]["group_id"] == group
    assert data(meta.ask("GET", f"{NUMBER}/groups"))["data"] == {"groups": [{"id": group}]}
    assert [status["recipient_participant_id"] for _, status in meta.statuses[1:3]] == ["9990000000", "9990000001"]


def test_calls_flows_and_settings_are_answered(meta: CalledMeta) -> None:
    called = data(meta.ask("POST", f"{NUMBER}/calls", {"action": "connect", "to": "+4915112345678"}))
    ended = data(meta.ask("POST", f"{NUMBER}/calls", {"action": "terminate", "call_id": "x"}))
    flow = data(meta.ask("POST", f"{WABA}/flows", {"name": "Sizes", "categories": ["OTHER"]}))

    assert called["calls"][0]["id"].startswith("wacid.")
    assert ended == {"messaging_product": "whatsapp", "success": True}
    assert flow["id"].isdigit()
    assert error_of(meta.ask("POST", f"{NUMBER}/flows", {"name": "x"}))["error_subcode"] == 33
    assert "calling" in data(meta.ask("GET", f"{NUMBER}/settings"))


def test_a_sample_is_known_without_an_upload(meta: CalledMeta) -> None:
    told = data(meta.ask("GET", SAMPLES["document"].id, phone_number_id=NUMBER))

    assert follow(meta, told["url"]).body == SAMPLES["document"].data
    assert told["mime_type"] == "application/pdf"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("999/uploads", {"file_length": "1", "file_type": "image/png"}),
        (f"{ACCOUNTS.app_id}/uploads", {"file_length": "x", "file_type": "image/png"}),
        (f"{ACCOUNTS.app_id}/uploads", {"file_length": "1", "file_type": "image/tiff"}),
        ("upload:unknown", {}),
        ("999/subscriptions", {}),
        ("999/subscribed_apps", {}),
        ("999/message_templates", {}),
        ("999/register", {}),
    ],
)
def test_what_is_not_there_or_not_right_is_refused(meta: CalledMeta, path: str, query: dict[str, str]) -> None:
    assert error_of(meta.ask("POST", path, **query))["code"] == 100


@pytest.mark.parametrize("fields", [{"name": "Bad name"}, {"category": "SPAM"}, {"components": []}])
def test_a_template_that_is_not_right_is_refused(meta: CalledMeta, fields: dict[str, Any]) -> None:
    assert error_of(meta.ask("POST", f"{WABA}/message_templates", {**TEMPLATE, **fields}))["code"] == 131009


def test_a_template_exists_once_in_a_language(meta: CalledMeta) -> None:
    meta.ask("POST", f"{WABA}/message_templates", TEMPLATE)

    again = meta.ask("POST", f"{WABA}/message_templates", TEMPLATE)
    other = meta.ask("POST", f"{WABA}/message_templates", {**TEMPLATE, "language": "de"})

    assert (again.status, other.status) == (400, 200)


def test_the_webhook_of_an_app_is_read_by_the_app_only(meta: CalledMeta) -> None:
    path, app_token = f"{ACCOUNTS.app_id}/subscriptions", f"{ACCOUNTS.app_id}|{ACCOUNTS.app_secret}"
    meta.outlet.answer = lambda url: (200, dict(parse_qsl(urlsplit(url).query))["hub.challenge"].encode())
    webhook = {"object": "whatsapp_business_account", "callback_url": "https://x.example/hook"}

    before = data(meta.ask("GET", path, token=app_token))["data"]
    meta.ask("POST", path, {**webhook, "verify_token": "v", "fields": "messages,flows"})
    [after] = data(meta.ask("GET", path, token=app_token))["data"]

    assert before == []
    assert (after["callback_url"], [field["name"] for field in after["fields"]]) == (
        webhook["callback_url"],
        ["messages", "flows"],
    )
    assert error_of(meta.ask("GET", path))["code"] == 15
    assert error_of(meta.ask("GET", path, token=f"{ACCOUNTS.app_id}|another"))["code"] == 190
    assert error_of(meta.ask("GET", "999/subscriptions", token=app_token))["code"] == 100
