"""`simulate`: a customer's phone, in front of a running dry-run service."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest

from app.cli import CommandFailed
from app.cli.phone import Posting
from app.cli.simulate import action_from, read_script, simulate_command
from app.graph.fake.accounts import Number
from app.graph.fake.customers import FIELDS, MEDIA
from app.graph.fake.webhooks import bytes_of, change_of
from tests.support.live import CONFIG, write_config
from tests.support.serving import FLASK, ROOT, Running, run, serving
from tests.support.tracing import inherited
from tests.support.waiting import DEADLINE_SECONDS, wait_for

BEARER = {"Authorization": "Bearer dry-run-service-token", "Content-Type": "application/json"}
PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
SCRIPT = [
    {"type": "text", "text": "hi", "name": "Lu"},
    {"wait": 0},
    {"type": "button", "title": "Yes", "id": "yes", "answers": "wamid.asked"},
    {"type": "image", "caption": "Taj Mahal"},
    {"type": "call", "from": None, "user_id": "DE.13491208655302741918"},
]


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("simulate")
    kept = inherited("PATH", "HOME")
    config = write_config(folder, CONFIG + '    sending: { events: ["outbound.*"] }\n')
    environ = {**kept, "WATS_DATA_DIR": str(folder / "data"), "WATS_CONFIG": str(config)}
    with serving(folder, "--dry-run", environ=environ) as running:
        yield running


def events(running: Running) -> list[dict[str, object]]:
    return list(running.json("/api/events?limit=100", BEARER)["items"])


def sent(running: Running, ending: str, kind: str = "text", content: object = None) -> str:
    """Send a message to a test number, by default a text; return its id."""
    body = {"to": f"+999000{ending}", "type": kind, kind: content or {"body": "Red or white?"}}
    status, answer = running.ask("POST", "/api/messages", json.dumps(body).encode(), BEARER)
    assert status == 202, answer
    return str(json.loads(answer)["id"])


def test_a_script_waits_for_the_answers_of_the_business(dry_run: Running) -> None:
    script, contact = dry_run.folder / "talk.json", "+9990000002"
    sent(dry_run, "0002")  # before the conversation
    wait_for(lambda: any(each["wamid"] for each in outbound(dry_run, contact)))
    script.write_text(json.dumps([{"type": "text", "text": "hi"}, {"await": 100}, {"await": 0}]))
    command = [FLASK, "wats", "simulate", "--script", str(script), "--from", contact]
    with subprocess.Popen(command, env=dict(dry_run.environ), cwd=ROOT, **PIPES) as playing:
        assert playing.stdout is not None
        said = playing.stdout.readline().strip()
        sent(dry_run, "0002")
        out, err = playing.communicate(timeout=DEADLINE_SECONDS)

    assert said.startswith("wamid.")
    assert out == f"← text {outbound(dry_run, contact)[0]['wamid']}\n"
    assert (playing.returncode, err) == (1, f"error: no message to {contact} has come within 0 seconds\n")


def test_the_mode_of_this_machines_service_asks_the_phone_for_no_token(dry_run: Running) -> None:
    done = run("simulate", "text", "hi", environ={**dry_run.environ, "WATS_MODE": "live"})

    assert (done.returncode, done.stdout.startswith("wamid.")) == (0, True), done.stderr


def test_metas_side_knows_what_a_simulated_customer_has_done(dry_run: Running) -> None:
    customer, script = "+4915112340031", dry_run.folder / "came.json"
    came = {"source_url": "https://fb.me/x", "source_id": "1", "source_type": "ad"}
    script.write_text(json.dumps([{"type": "text", "text": "hi", "referral": came}]))
    simulated = run("simulate", "--script", str(script), "--from", customer, environ=dry_run.environ)
    body = {"to": customer, "type": "text", "text": {"body": "Welcome"}}

    sent_id = json.loads(dry_run.ask("POST", "/api/messages", json.dumps(body).encode(), BEARER)[1])["id"]

    wait_for(lambda: message(dry_run, sent_id).get("pricing"))
    assert (simulated.returncode, message(dry_run, sent_id)["pricing"]["type"]) == (0, "free_entry_point")  # type: ignore[index]


def outbound(running: Running, contact: str) -> list[dict[str, str]]:
    path = f"/api/messages?direction=outbound&contact={contact.replace('+', '%2B')}"
    return list(running.json(path, BEARER)["items"])


def message(running: Running, message_id: str) -> dict[str, object]:
    return dict(running.json(f"/api/messages/{message_id}", BEARER))


def life(running: Running, message_id: str) -> list[str]:
    """Return the statuses that the events of a message's own life have told."""
    told = running.json("/api/events?types=outbound.*&limit=100", BEARER)["items"]
    return [event["data"]["status"] for event in told if event["data"]["messageId"] == message_id]


def test_requests_that_wait_are_answered_when_meta_has_answered(dry_run: Running) -> None:
    waiting = {**BEARER, "Prefer": "wait=30"}
    texts = [{"to": f"+999000{ending}", "type": "text", "text": {"body": "hi"}} for ending in ("0000", "2008")]
    bodies = [json.dumps(text).encode() for text in texts]

    with ThreadPoolExecutor(len(bodies)) as pool:
        requests = [pool.submit(dry_run.ask, "POST", "/api/messages", body, waiting) for body in bodies]
        answers = [request.result() for request in requests]

    assert [status for status, _ in answers] == [200, 200]
    assert {json.loads(body)["status"] for _, body in answers}.isdisjoint({"queued", "sending"})


def test_a_script_is_played_and_each_action_is_an_event(dry_run: Running) -> None:
    script = dry_run.folder / "script.json"
    script.write_text(json.dumps(SCRIPT))

    done = run("simulate", "--script", str(script), environ=dry_run.environ)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    expected = {"message.text", "message.interactive.button_reply", "message.image", "call.connect"}
    wait_for(lambda: expected <= {event["type"] for event in events(dry_run)})
    [image] = [event["raw"]["image"] for event in events(dry_run) if event["type"] == "message.image"]  # type: ignore[index]
    assert image["url"].startswith("https://graph.facebook.com/whatsapp_business/attachments/?mid=")


def test_a_message_of_a_dry_run_comes_back_read_and_one_whose_answer_was_lost_is_resolved(dry_run: Running) -> None:
    well, lost, silent, failing = (sent(dry_run, ending) for ending in ("0000", "4001", "4002", "1026"))

    ends = {well: "read", lost: "read", silent: "unknown", failing: "failed"}
    wait_for(lambda: {each: message(dry_run, each)["status"] for each in ends} == ends)
    assert message(dry_run, silent)["wamid"] is None
    asked = run("messages", "reconcile", well, environ=dry_run.environ)
    assert ("read" in asked.stdout, asked.returncode) == (True, 0), asked.stderr
    lives = {well: ["accepted"], silent: ["unknown"], failing: ["accepted", "failed"]}
    wait_for(lambda: all(life(dry_run, each) == ["sending", *lives[each]] for each in lives))


def test_a_message_of_the_customer_is_marked_as_read(dry_run: Running) -> None:
    wamid = run("simulate", "text", "hello", environ=dry_run.environ).stdout.strip()
    wait_for(lambda: wamid in [event["raw"]["id"] for event in events(dry_run) if event["type"] == "message.text"])  # type: ignore[index]

    done = run("messages", "read", wamid, "--typing", environ=dry_run.environ)

    assert done.stdout == "done: the message is marked as read\n", done.stderr
    assert '"read": true' in run("messages", "read", wamid, "--json", environ=dry_run.environ).stdout


def test_an_answer_names_the_last_message_that_was_sent_to_the_customer(dry_run: Running) -> None:
    asked = sent(dry_run, "0002")
    wait_for(lambda: message(dry_run, asked)["status"] == "sent")

    done = run("simulate", "button", "Red", "--from", "+9990000002", environ=dry_run.environ)

    wait_for(lambda: answers(dry_run, done.stdout.strip()))
    [answer] = answers(dry_run, done.stdout.strip())
    assert answer["context"]["id"] == message(dry_run, asked)["wamid"]


BUTTONS = [{"type": "reply", "reply": {"id": "yes-1", "title": "Yes"}}]


def test_a_button_has_the_id_under_which_it_was_offered_and_no_other_can_be_pressed(dry_run: Running) -> None:
    asked = sent(
        dry_run, "0001", "interactive", {"type": "button", "body": {"text": "?"}, "action": {"buttons": BUTTONS}}
    )
    wait_for(lambda: message(dry_run, asked)["status"] == "delivered")

    by_title, by_id, unknown = (
        run("simulate", "button", title, "--from", "+9990000001", environ=dry_run.environ)
        for title in ("Yes", "yes-1", "No")
    )

    for done in (by_title, by_id):
        wait_for(partial(answers, dry_run, done.stdout.strip()))
        [answer] = answers(dry_run, done.stdout.strip())
        assert answer["interactive"]["button_reply"] == {"id": "yes-1", "title": "Yes"}
    assert unknown.stderr == "error: the last message does not offer 'No'; it offers Yes (id yes-1)\n"


def test_webhooks_of_a_script_come_batched_twice_and_in_disorder(dry_run: Running) -> None:
    script = dry_run.folder / "three.json"
    script.write_text(json.dumps([{"type": "text", "text": text} for text in ("one", "two", "three")]))

    options = ("--batch", "2", "--duplicate", "--disorder", "--from", "+4915100000003")
    done = run("simulate", "--script", str(script), *options, environ=dry_run.environ)

    assert len(done.stdout.split()) == 3, done.stderr
    wait_for(lambda: all(answers(dry_run, wamid) for wamid in done.stdout.split()))
    pair, single = dry_run.json("/api/receipts?limit=2", BEARER)["items"]
    assert (pair["duplicates"], single["duplicates"]) == (1, 1)
    assert {answers(dry_run, wamid)[0]["text"]["body"] for wamid in done.stdout.split()} == {"one", "two", "three"}  # type: ignore[index]


def test_an_order_of_webhooks_is_reversed_and_each_repeated() -> None:
    changes = [change_of(Number("1", "2"), messages=[{"id": n}]) for n in ("one", "two", "three")]

    bodies = list(Posting(batch=2, duplicate=True, disorder=True).in_webhooks(changes))

    assert bodies == [bytes_of(changes[2:])] * 2 + [bytes_of(changes[:2])] * 2


def answers(running: Running, wamid: str) -> list[dict[str, dict[str, object]]]:
    """Return the messages of a customer with this id, as Meta told of them."""
    told = [running.json(f"/api/events/{event['id']}", BEARER) for event in events(running)]
    return [event["raw"] for event in told if event["raw"].get("id") == wamid]


def test_another_secret_is_refused_with_its_cure(dry_run: Running) -> None:
    environ = {**dry_run.environ, "WATS_DRY_RUN_APP_SECRET": "another-secret-7c0e41d3b8a9"}

    done = run("simulate", "text", "hi", environ=environ)

    assert done.returncode == 1
    assert "WATS_DRY_RUN_APP_SECRET" in done.stderr


def test_a_value_fills_the_field_that_the_type_is_about() -> None:
    assert action_from("text", "hi", ("name=Lu",)) == {"type": "text", "text": "hi", "name": "Lu"}
    assert action_from("location", "52.5,13.4", ()) == {"type": "location", "latitude": 52.5, "longitude": 13.4}
    assert action_from("flow", '{"size":"s"}', ()) == {"type": "flow", "response": {"size": "s"}}
    assert action_from("audio", None, ("voice=true",)) == {"type": "audio", "voice": True}


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("sing", "x", "sing is no TYPE; there are text"),
        ("call", "x", "call takes no VALUE"),
        ("location", "x", "52.5"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: str, told: str) -> None:
    with pytest.raises(CommandFailed, match=told):
        action_from(kind, value, ())


@pytest.mark.parametrize("kind", [kind for kind, (needed, _) in FIELDS.items() if needed])
def test_a_type_without_its_value_is_refused_with_what_to_type(kind: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        action_from(kind, None, ())

    needs, found, command = str(refused.value).partition("; type for example: flask wats simulate ")
    assert (needs, bool(found)) == (f"{kind} needs a VALUE", True)
    typed, value = shlex.split(command)
    assert FIELDS[kind][0] <= action_from(typed, value, ()).keys()


def test_a_type_takes_its_value_as_a_field_too() -> None:
    assert action_from("text", None, ("text=hi",)) == {"type": "text", "text": "hi"}


def test_a_field_without_a_value_is_refused() -> None:
    with pytest.raises(click.UsageError, match="NAME=VALUE"):
        action_from("text", "hi", ("name",))


@pytest.mark.parametrize(("text", "told"), [("{", "is not JSON"), ('{"type": "text"}', "a JSON list of objects")])
def test_a_file_that_is_no_script_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)

    with pytest.raises(CommandFailed, match=told):
        read_script(path)


def test_every_kind_of_file_can_be_sent_and_every_type_is_named_in_the_help() -> None:
    assert set(MEDIA) <= set(FIELDS)
    assert simulate_command.help is not None
    assert [kind for kind in FIELDS if kind not in simulate_command.help] == []
