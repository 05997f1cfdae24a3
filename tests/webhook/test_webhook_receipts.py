"""Receipts in the API: listed, shown, sent back, reprocessed."""

import hashlib

import pytest
from flask.testing import FlaskClient

from app.gateway import Gateway
from tests.support.deliveries import split_into
from tests.support.webhooks import PATH, bearer, body_of, signed

RECEIPTS = "/api/receipts"


def receive(client: FlaskClient, body: bytes) -> str:
    client.post(PATH, data=body, headers=signed(body))
    return str(client.get(RECEIPTS, headers=bearer()).get_json()["items"][0]["id"])


def test_a_receipt_is_shown_in_the_published_form(client: FlaskClient) -> None:
    body = body_of()
    receipt_id = receive(client, body)

    receipt = client.get(f"{RECEIPTS}/{receipt_id}", headers=bearer()).get_json()

    assert receipt.pop("receivedAt").endswith("Z")
    assert receipt == {
        "id": receipt_id,
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "state": "pending",
        "events": 0,
        "duplicates": 0,
        "differing": 0,
        "erased": False,
        "signedWith": "current",
        "error": None,
    }


def test_the_exact_bytes_are_sent_back(client: FlaskClient) -> None:
    body = b"\x00\xff not json \xed\xa0\x80"
    receipt_id = receive(client, body)

    answer = client.get(f"{RECEIPTS}/{receipt_id}/body", headers=bearer())

    assert (answer.data, answer.mimetype) == (body, "application/octet-stream")


def test_pages_follow_each_other_from_the_newest_to_the_oldest(client: FlaskClient) -> None:
    newest_first = [receive(client, body_of(str(number))) for number in range(5)][::-1]
    seen: list[str] = []
    cursor: str | None = ""

    while cursor is not None:
        query = f"limit=2&cursor={cursor}" if cursor else "limit=2"
        page = client.get(f"{RECEIPTS}?{query}", headers=bearer()).get_json()
        seen += [receipt["id"] for receipt in page["items"]]
        cursor = page["nextCursor"]

    assert seen == newest_first


def test_receipts_are_filtered_by_state(client: FlaskClient) -> None:
    receipt_id = receive(client, body_of())

    pending = client.get(f"{RECEIPTS}?state=pending", headers=bearer()).get_json()
    unreadable = client.get(f"{RECEIPTS}?state=unreadable", headers=bearer()).get_json()

    assert [receipt["id"] for receipt in pending["items"]] == [receipt_id]
    assert unreadable == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=-1", "invalid_limit"),
        ("limit=1.5", "invalid_limit"),
        ("limit=", "invalid_limit"),
        ("limit=٣", "invalid_limit"),
        ("cursor=%00", "invalid_cursor"),
        ("cursor=!!", "invalid_cursor"),
        ("cursor=a", "invalid_cursor"),
        ("cursor=AAAA", "invalid_cursor"),
        ("cursor=bm9wZQ", "invalid_cursor"),
        ("cursor=" + "QUFB" * 200, "invalid_cursor"),
        ("state=lost", "invalid_parameter"),
        ("state=", "invalid_parameter"),
    ],
)
def test_a_bad_page_request_is_refused(client: FlaskClient, query: str, code: str) -> None:
    answer = client.get(f"{RECEIPTS}?{query}", headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("receipt_id", ["rcp_999", "rcp_", "nope", "rcp_-1", "rcp_" + "9" * 40, "%00", "rcp_1%2f2"])
@pytest.mark.parametrize("tail", ["", "/body"])
def test_an_unknown_receipt_is_404(client: FlaskClient, receipt_id: str, tail: str) -> None:
    answer = client.get(f"{RECEIPTS}/{receipt_id}{tail}", headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")


def test_a_receipt_is_queued_again(client: FlaskClient, gateway: Gateway) -> None:
    receipt_id = receive(client, body_of())

    answer = client.post(f"{RECEIPTS}/{receipt_id}/reprocess", headers=bearer())

    assert (answer.status_code, answer.get_json()["state"]) == (202, "pending")
    assert client.post(f"{RECEIPTS}/rcp_999/reprocess", headers=bearer()).status_code == 404


def test_an_unreadable_receipt_has_its_reason_until_it_is_queued_again(client: FlaskClient, gateway: Gateway) -> None:
    receipt_id = split_into(gateway.store, unreadable="this is no JSON")

    unreadable = client.get(f"{RECEIPTS}/{receipt_id}", headers=bearer()).get_json()
    client.post(f"{RECEIPTS}/{receipt_id}/reprocess", headers=bearer())
    pending = client.get(f"{RECEIPTS}/{receipt_id}", headers=bearer()).get_json()

    assert (unreadable["state"], unreadable["error"]) == ("unreadable", "this is no JSON")
    assert (pending["state"], pending["error"]) == ("pending", None)


def test_a_token_that_may_only_read_cannot_reprocess(client: FlaskClient) -> None:
    receipt_id = receive(client, body_of())
    reader = bearer("TEST_READER_TOKEN")

    answer = client.post(f"{RECEIPTS}/{receipt_id}/reprocess", headers=reader)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "forbidden")
    assert client.get(f"{RECEIPTS}/{receipt_id}", headers=reader).status_code == 200
