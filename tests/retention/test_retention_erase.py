"""Erasing a customer over HTTP, and from the command line."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain.erasure import ErasureStage
from app.domain.message import Unaccepted, contact_number, new_message_id
from app.domain.meta.parse import split
from app.domain.meta.touch import Touch
from app.domain.split import SplitEvent, SplitReceipt
from app.gateway import Gateway
from app.store import Store
from app.store.engine import sqlite
from app.store.tables.message_schema import contact_links, conversations
from app.store.tables.schema import receipts
from app.store.tables.sending_schema import send_pairs
from app.store.transactions.touch_conversations import touch_conversations
from tests.support.envelopes import NUMBER, change, contact, envelope, in_bytes, inbound_text
from tests.support.events import event_id, new_event, put_delivery, put_events
from tests.support.live import write_config
from tests.support.messages import new_message
from tests.support.serving import FLASK, ROOT, Running, run, serving
from tests.support.sqlite_bytes import execute
from tests.support.store import NOON, new_receipt
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import bearer
from tests.support.work import LEASE, claim, claim_split

PHONE, OTHER = "4915112345678", "4917755566677"
ERASE = "/api/contacts/erase"


def put_customer(store: Store, phone: str = PHONE, *, name: str = "a", state: str = "split") -> None:
    """Put in a customer with a receipt, an event and an open delivery."""
    body = json.dumps({"from": phone, "name": name}).encode()
    store.receipts.add(new_receipt(body))
    store.write(lambda c: c.execute(receipts.update().where(receipts.c.body == body).values(state=state)))
    (event,) = put_events(store, new_event(name, wa_id=phone))
    put_delivery(store, event, destination="crm")


def receive_and_split(store: Store, body: bytes) -> None:
    """Receive a webhook and split it as the worker does."""
    store.receipts.add(new_receipt(body))
    [receipt] = store.receipts.pending(limit=1, max_bytes=len(body))
    found = split(receipt.body, sha256=receipt.sha256, received_at=receipt.received_at)
    store.events.add(claim_split(store), [SplitReceipt(receipt, [SplitEvent(event) for event in found])], LEASE)


def post_erase(client: FlaskClient, contact: Any, cursor: Any = None) -> TestResponse:
    return client.post(ERASE, json={"contact": contact, "cursor": cursor}, headers=bearer())


def erase(client: FlaskClient, contact: str) -> dict[str, Any]:
    """Take all steps; return their added counts, and the ids of the events that remain."""
    total: dict[str, Any] = {}
    cursor = None
    while True:
        answer = post_erase(client, contact, cursor).get_json()
        cursor = answer.pop("nextCursor")
        total = {name: total[name] + answer[name] if total else answer[name] for name in answer}
        if cursor is None:
            return total


def test_an_erasure_that_a_reader_holds_up_gives_the_same_cursor_and_ends_after_it(
    client: FlaskClient, gateway: Gateway
) -> None:
    put_customer(gateway.store)
    with closing(sqlite.driver().connect(sqlite.path_of(gateway.settings.storage.url))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchall()
        cursor, following = None, post_erase(client, PHONE).get_json()["nextCursor"]
        while following not in (cursor, None):
            cursor, following = following, post_erase(client, PHONE, following).get_json()["nextCursor"]
    held_up = following

    while following is not None:
        following = post_erase(client, PHONE, following).get_json()["nextCursor"]

    assert held_up is not None
    assert execute(gateway.settings.storage.url, "PRAGMA user_version") == [(3,)]


@pytest.mark.parametrize("written", [PHONE, f"+{PHONE}"])
def test_a_customer_is_erased_and_others_are_not(client: FlaskClient, gateway: Gateway, written: str) -> None:
    put_customer(gateway.store)
    put_customer(gateway.store, OTHER, name="b")

    erased = erase(client, written)

    counts = {"events": 1, "deliveries": 1, "messages": 0, "receipts": 1, "pending": 0, "unreadable": 0, "left": 0}
    assert erased == {**counts, "remaining": []}
    page = client.get("/api/events", headers=bearer())
    assert [event["id"] for event in page.get_json()["items"]] == [event_id("b")]
    assert PHONE not in page.text
    assert client.get(f"/api/events/{event_id('a')}", headers=bearer()).status_code == 404


@pytest.mark.parametrize("given", ["5531988880001", "553188880001"])
def test_a_customer_whose_number_is_spelled_in_two_ways_is_erased_by_either(
    client: FlaskClient, gateway: Gateway, given: str
) -> None:
    sender, described = "5531988880001", contact("553188880001")
    messages = [inbound_text(wamid=f"wamid.BR{number}", sender=sender) for number in range(2)]
    receive_and_split(gateway.store, in_bytes(envelope(change(contacts=[described], messages=messages))))

    erased = erase(client, given)

    assert (erased["events"], erased["receipts"], erased["remaining"]) == (2, 1, [])
    assert client.get("/api/events", headers=bearer()).get_json()["items"] == []


def test_the_messages_to_a_customer_are_erased_with_their_jobs(client: FlaskClient, gateway: Gateway) -> None:
    store, user = gateway.store, "DE.13491208655302741918"
    written = [inbound_text(sender=PHONE, from_user_id=user), inbound_text(sender=OTHER, wamid="wamid.2")]
    receive_and_split(store, in_bytes(envelope(change(messages=written))))
    messages = [new_message(to=f"+{to}", key=f"to {to} {n}") for n, to in enumerate((PHONE, PHONE, OTHER))]
    store.messages.accept(messages)
    pace = {"phone_number_id": NUMBER, "contact": contact_number(user), "refusals": 0}
    store.write(lambda c: c.execute(send_pairs.insert().values(pace)))

    erased = erase(client, user)

    assert erased["messages"] == 2
    assert [message.to for message in store.messages.page(limit=9)] == [f"+{OTHER}"]
    assert [job.subject for job in claim(store, messages[0].queue)] == [3]
    assert store.database.read(lambda c: c.execute(send_pairs.select()).all()) == []
    assert store.conversations.last_inbound([(NUMBER, (PHONE,))]) == [None]
    assert store.conversations.last_inbound([(NUMBER, (OTHER,))]) != [None]
    assert store.messages.accept([messages[0]._replace(id=new_message_id(NOON))]) == [Unaccepted.ERASED]


def test_a_client_that_names_two_customers_in_one_message_does_not_make_them_one(
    client: FlaskClient, gateway: Gateway
) -> None:
    anna, bob = (PHONE, "DE.13491208655302741918"), (OTHER, "DE.99991208655302741918")
    written = [inbound_text(sender=phone, from_user_id=user, wamid=f"wamid.{user}") for phone, user in (anna, bob)]
    receive_and_split(gateway.store, in_bytes(envelope(change(messages=written))))
    for message in ({"to": f"+{OTHER}"}, {"to": f"+{PHONE}", "recipient": bob[1]}):
        body = {**message, "type": "text", "text": {"body": "hi"}}
        assert client.post("/api/messages", json=body, headers=bearer()).status_code == 202
    listed = [
        [message.to for message in gateway.store.messages.page(contact=name, limit=9)] for name in (*anna, *bob)
    ]

    erased = erase(client, PHONE)

    assert listed == [[f"+{PHONE}"], [f"+{PHONE}"], [f"+{OTHER}"], [f"+{OTHER}"]]
    assert (erased["events"], erased["messages"]) == (1, 1)
    assert [message.to for message in gateway.store.messages.page(contact=bob[1], limit=9)] == [f"+{OTHER}"]


def test_events_of_a_phone_number_that_only_metas_answer_has_linked_are_erased(
    client: FlaskClient, gateway: Gateway
) -> None:
    store, user = gateway.store, "DE.13491208655302741918"
    sent = new_event("sent to the number", kind="outbound.accepted", wa_id=PHONE)
    put_events(store, sent, new_event("told of the user", wa_id=None, user_id=user), new_event("b", wa_id=OTHER))
    store.messages.accept([new_message(to=f"+{PHONE}")])
    store.write(lambda c: touch_conversations(c, NOON, [Touch(NUMBER, (user, PHONE))]))

    erased = erase(client, user)

    assert (erased["events"], erased["messages"]) == (2, 1)
    assert [event["id"] for event in client.get("/api/events", headers=bearer()).get_json()["items"]] == [
        event_id("b")
    ]
    assert store.database.read(lambda c: c.execute(contact_links.select()).all()) == []


def test_an_erasure_that_was_broken_off_for_long_finds_every_name_when_it_goes_on(gateway: Gateway) -> None:
    store, user = gateway.store, "DE.13491208655302741918"
    put_events(store, *(new_event(n, kind="outbound.accepted", wa_id=PHONE) for n in range(3)))
    put_events(store, new_event("told of the user", wa_id=None, user_id=user))
    store.messages.accept([new_message(to=f"+{PHONE}")])
    store.write(lambda c: touch_conversations(c, NOON, [Touch(NUMBER, (user, PHONE))]))
    cursor, stage = None, None
    while stage is not ErasureStage.EVENTS:
        cursor = store.retention.erase(user, cursor).next
        stage = None if cursor is None else cursor.stage
    while store.message_retention.prune_links().next is not None:
        pass

    while cursor is not None:
        cursor = store.retention.erase(user, cursor).next

    assert store.events.counts().total == 0
    for table in (contact_links, conversations):
        assert store.database.read(lambda c, table=table: c.execute(table.select()).all()) == []  # type: ignore[misc]


def test_an_erased_receipt_is_not_split_again(client: FlaskClient, gateway: Gateway) -> None:
    put_customer(gateway.store)
    erase(client, PHONE)

    answer = client.post("/api/receipts/rcp_1/reprocess", headers=bearer())

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "erased")
    [listed] = client.get("/api/receipts", headers=bearer()).get_json()["items"]
    assert (listed["state"], listed["erased"]) == ("split", True)


def test_the_body_of_an_erased_receipt_is_gone(client: FlaskClient, gateway: Gateway) -> None:
    put_customer(gateway.store)
    erase(client, PHONE)

    receipt = client.get("/api/receipts/rcp_1", headers=bearer())
    body = client.get("/api/receipts/rcp_1/body", headers=bearer())

    assert (receipt.status_code, body.status_code) == (200, 404)


def test_erasing_an_unknown_customer_erases_nothing(client: FlaskClient, gateway: Gateway) -> None:
    put_customer(gateway.store)

    erased = erase(client, OTHER)

    assert not any(erased.values())


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "1234",
        "+",
        "++4915112345678",
        "49151 1234567",
        '":',
        "%",
        "*****",
        "a" * 201,
        "49151\n12345",
        "\x00" * 9,
        49151,
    ],
)
def test_an_invalid_contact_is_refused(client: FlaskClient, contact: Any) -> None:
    answer = post_erase(client, contact)

    assert answer.status_code == 422
    assert [field["pointer"] for field in answer.get_json()["error"]["details"]["fields"]] == ["/contact"]


@pytest.mark.parametrize("cursor", ["", "nonsense", "c2VxXzE", "cmVjZWlwdHNfMV8", "ZXZlcnl0aGluZ18xXzE"])
def test_an_invalid_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = post_erase(client, PHONE, cursor)

    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "invalid_cursor")


def test_erasing_needs_the_scope_operate(client: FlaskClient) -> None:
    answer = client.post(ERASE, json={"contact": PHONE}, headers=bearer("TEST_READER_TOKEN"))

    assert answer.status_code == 403


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    config = str(write_config(tmp_path))
    with serving(tmp_path, "--config", config, "--live", "--yes-live", "--without-worker") as running:
        yield running


def contacts(running: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `flask wats contacts …` as a user does beside the running service."""
    return run("contacts", *arguments, environ=environment_of(running))


def environment_of(running: Running) -> dict[str, str]:
    return {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}


def opened(running: Running) -> Store:
    store = Store(f"sqlite:///{running.folder}/data/wats.sqlite3", min_free_bytes=0, cooperative=False)
    store.open()
    return store


def test_the_command_line_says_what_it_erased(running: Running) -> None:
    store = opened(running)
    put_customer(store)
    put_customer(store, OTHER, name="b")

    unconfirmed = contacts(running, "erase", PHONE)
    erased = contacts(running, "erase", PHONE, "--yes")
    again = contacts(running, "erase", f"+{PHONE}", "--yes", "--json")
    unknown, spaced = (contacts(running, "erase", name, "--yes") for name in ("bogus", "+49 151 12345"))
    reprocessed = run("receipts", "reprocess", "--state", "split", environ=environment_of(running))

    names = [event.data["text"] for event in store.events.after(0, limit=9)]
    store.close()
    assert (unconfirmed.returncode, unconfirmed.stdout) == (2, "")
    assert (erased.returncode, erased.stdout) == (
        0,
        "done: erased 1 event, 1 delivery, 0 messages and the bodies of 1 receipt\n",
    )
    assert erased.stderr.startswith("erasing: ")
    nothing = dict.fromkeys(("events", "deliveries", "messages", "receipts", "pending", "unreadable"), 0)
    assert json.loads(again.stdout) == {**nothing, "remaining": []}
    assert (unknown.returncode, "nothing was found under this name" in unknown.stderr) == (0, True)
    assert (spaced.returncode, "without spaces" in spaced.stderr) == (1, True)
    assert names == ["b"]
    left = "1 receipt left, whose bytes are erased"
    assert reprocessed.stdout == f"done: 1 receipt queued to be split again; {left}\n"


def test_the_command_line_says_what_it_left(running: Running) -> None:
    store = opened(running)
    put_customer(store, state="pending")
    put_events(store, *[new_event(number, wa_id=OTHER, raw={"wa_id": PHONE}) for number in range(6)])
    store.close()

    erased = contacts(running, "erase", PHONE, "--yes")
    as_json = contacts(running, "erase", PHONE, "--yes", "--json")

    some = ", ".join(event_id(number) for number in range(5))
    assert "kept 6 events that name this contact but are about another customer or about none;" in erased.stderr
    assert f"{some}, …; see `flask wats events show`" in erased.stderr
    assert json.loads(as_json.stdout)["remaining"] == [event_id(number) for number in range(6)]
    assert (erased.returncode, as_json.returncode) == (1, 1)
    assert erased.stdout == "done: erased 1 event, 1 delivery, 0 messages and the bodies of 0 receipts\n"
    assert "1 pending, 0 unreadable" in erased.stderr


def ask_on_a_terminal(running: Running, answer: str) -> tuple[int, str]:
    """Erase on a terminal where the user answers so; return the exit code and what was asked."""
    ours, terminal = pty.openpty()
    environ = environment_of(running)
    command = [FLASK, "wats", "contacts", "erase", PHONE]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=terminal, stderr=subprocess.PIPE, text=True)
    os.write(ours, f"{answer}\n".encode())
    _, prompt = process.communicate(timeout=DEADLINE_SECONDS)
    os.close(terminal)
    os.close(ours)
    return process.returncode, prompt


def test_on_a_terminal_it_asks_first(running: Running) -> None:
    store = opened(running)
    put_customer(store)

    refused = ask_on_a_terminal(running, "n")
    kept = len(store.events.after(0, limit=9))
    confirmed = ask_on_a_terminal(running, "y")
    left = len(store.events.after(0, limit=9))

    store.close()
    assert all(
        prompt.startswith(f"Erase all data of {PHONE}? This cannot be undone [y/N]: ")
        for _, prompt in (refused, confirmed)
    )
    assert (refused[0], kept, confirmed[0], left) == (1, 1, 0, 0)
