"""Erasing a customer over HTTP, and from the command line."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.gateway import Gateway
from app.store import Store
from app.store.tables.schema import receipts
from tests.support.events import event_id, new_event, put_delivery, put_events
from tests.support.live import write_config
from tests.support.serving import FLASK, ROOT, Running, run, serving
from tests.support.store import new_receipt
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import bearer

PHONE, OTHER = "4915112345678", "4917755566677"
ERASE = "/api/contacts/erase"


def put_customer(store: Store, phone: str = PHONE, *, name: str = "a", state: str = "split") -> None:
    """Put in a customer with a receipt, an event and an open delivery."""
    body = json.dumps({"from": phone, "name": name}).encode()
    store.receipts.add(new_receipt(body))
    store.write(lambda c: c.execute(receipts.update().where(receipts.c.body == body).values(state=state)))
    (event,) = put_events(store, new_event(name, wa_id=phone))
    put_delivery(store, event, destination="crm")


def post_erase(client: FlaskClient, contact: Any, cursor: Any = None) -> TestResponse:
    return client.post(ERASE, json={"contact": contact, "cursor": cursor}, headers=bearer())


def erase(client: FlaskClient, contact: str) -> dict[str, int]:
    """Take all steps; return their added counts."""
    total: dict[str, int] = {}
    cursor = None
    while True:
        answer = post_erase(client, contact, cursor).get_json()
        cursor = answer.pop("nextCursor")
        total = {name: total.get(name, 0) + answer[name] for name in answer}
        if cursor is None:
            return total


@pytest.mark.parametrize("written", [PHONE, f"+{PHONE}"])
def test_a_customer_is_erased_and_others_are_not(client: FlaskClient, gateway: Gateway, written: str) -> None:
    put_customer(gateway.store)
    put_customer(gateway.store, OTHER, name="b")

    erased = erase(client, written)

    assert erased == {"events": 1, "deliveries": 1, "receipts": 1, "pending": 0, "unreadable": 0, "left": 0}
    page = client.get("/api/events", headers=bearer())
    assert [event["id"] for event in page.get_json()["items"]] == [event_id("b")]
    assert PHONE not in page.text
    assert client.get(f"/api/events/{event_id('a')}", headers=bearer()).status_code == 404


def test_the_body_of_an_erased_receipt_is_gone(client: FlaskClient, gateway: Gateway) -> None:
    put_customer(gateway.store)
    erase(client, PHONE)

    receipt = client.get("/api/receipts/rcp_1", headers=bearer())
    body = client.get("/api/receipts/rcp_1/body", headers=bearer())

    assert (receipt.status_code, body.status_code) == (200, 404)


def test_erasing_an_unknown_customer_erases_nothing(client: FlaskClient, gateway: Gateway) -> None:
    put_customer(gateway.store)

    erased = erase(client, OTHER)

    assert set(erased.values()) == {0}


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
    environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}
    return run("contacts", *arguments, environ=environ)


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

    names = [event.data["text"] for event in store.events.after(0, limit=9)]
    store.close()
    assert (unconfirmed.returncode, unconfirmed.stdout) == (2, "")
    assert (erased.returncode, erased.stdout) == (0, "done: erased 1 event, 1 delivery and the bodies of 1 receipt\n")
    assert erased.stderr.startswith("erasing: ")
    assert json.loads(again.stdout) == dict.fromkeys(("events", "deliveries", "receipts", "pending", "unreadable"), 0)
    assert names == ["b"]


def test_the_command_line_says_what_it_left(running: Running) -> None:
    store = opened(running)
    put_customer(store, state="pending")
    store.close()

    erased = contacts(running, "erase", PHONE, "--yes")

    assert erased.returncode == 1
    assert erased.stdout == "done: erased 1 event, 1 delivery and the bodies of 0 receipts\n"
    assert "1 pending, 0 unreadable" in erased.stderr


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, ["a"]), ("y", 0, [])])
def test_on_a_terminal_it_asks_first(running: Running, answer: str, code: int, left: list[str]) -> None:
    store = opened(running)
    put_customer(store)
    ours, terminal = pty.openpty()
    environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}
    command = [FLASK, "wats", "contacts", "erase", PHONE]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=terminal, stderr=subprocess.PIPE, text=True)

    os.write(ours, f"{answer}\n".encode())
    _, prompt = process.communicate(timeout=DEADLINE_SECONDS)

    names = [event.data["text"] for event in store.events.after(0, limit=9)]
    store.close()
    os.close(terminal)
    os.close(ours)
    assert prompt.startswith(f"Erase all data of {PHONE}? This cannot be undone [y/N]: ")
    assert (process.returncode, names) == (code, left)
