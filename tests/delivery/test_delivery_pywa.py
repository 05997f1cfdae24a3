"""A bot written with pywa runs behind the gateway as it ran behind Meta, and misses nothing of a batch."""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.meta.context import canonical
from app.web.examples import CHANGES, envelope_of
from tests.support.envelopes import PHONE, SENT, USER_ID, change, contact, envelope, in_bytes, inbound_text, status
from tests.support.live import CONFIG, write_config
from tests.support.serving import ROOT, Running, environment, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

BOT = Path(__file__).parent / "pywa_bot.py"
SECRET = "bot-secret-5d1e07a6b93f4c28"
DESTINATION = """
    destinations:
      - {{ name: bot, url: "http://127.0.0.1:{port}/bot", format: meta, secret: {{ env: BOT_APP_SECRET }} }}
"""
MEDIA = {"id": "1", "mime_type": "image/jpeg", "sha256": "aGFzaA==", "caption": "look"}
ADA = contact(user_id=USER_ID)
REPLY = {"id": "yes", "title": "Yes"}


class Bot:
    """The bot's process, and what its handlers have seen."""

    def __init__(self) -> None:
        environ = {"PATH": os.environ["PATH"], "BOT_APP_SECRET": SECRET}
        self._process = subprocess.Popen(
            [sys.executable, BOT], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.seen: list[list[str]] = []
        self.updates: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if said[0] == "update":
                self.updates.append(json.loads(said[1]))
            else:
                self.seen.append(said)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def running_bot() -> Iterator[Bot]:
    bot = Bot()
    yield bot
    bot.close()


@pytest.fixture
def bot(running_bot: Bot) -> Bot:
    """A bot that has seen nothing yet."""
    running_bot.seen.clear()
    running_bot.updates.clear()
    return running_bot


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, running_bot: Bot) -> Iterator[Running]:
    """A gateway before the bot."""
    folder = tmp_path_factory.mktemp("gateway")
    config = write_config(folder, CONFIG + DESTINATION.format(port=running_bot.port))
    environ = environment(folder, BOT_APP_SECRET=SECRET)
    with serving(folder, "--config", str(config), "--live", "--yes-live", environ=environ) as running:
        yield running


def message(kind: str, wamid: str, **content: Any) -> dict[str, Any]:
    """A customer's message of another type than text."""
    plain = inbound_text(wamid=wamid, from_user_id=USER_ID)
    del plain["text"]
    return {**plain, "type": kind, **content}


def kinds() -> list[dict[str, Any]]:
    """Messages of many types, each with its type for an id."""
    return [
        message("text", "text", text={"body": "hi"}, context={"from": "15550001111", "id": "wamid.before"}),
        message("image", "image", image=MEDIA),
        message("video", "video", video={**MEDIA, "mime_type": "video/mp4"}),
        message("audio", "audio", audio={"id": "1", "mime_type": "audio/ogg", "sha256": "aGFzaA==", "voice": True}),
        message("document", "document", document={**MEDIA, "filename": "a.pdf"}),
        message("sticker", "sticker", sticker={**MEDIA, "animated": False}),
        message("location", "location", location={"latitude": 52.5, "longitude": 13.4}),
        message("contacts", "contacts", contacts=[{"name": {"formatted_name": "Ada", "first_name": "Ada"}}]),
        message("reaction", "reaction", reaction={"message_id": "wamid.before", "emoji": "👍"}),
        message("order", "order", order={"catalog_id": "1", "text": "", "product_items": []}),
        message("unsupported", "unsupported", errors=[{"code": 131051, "title": "Unsupported", "message": "x"}]),
    ]


def taps() -> list[dict[str, Any]]:
    """What customers tap on."""
    context = {"from": "15550001111", "id": "wamid.before"}
    of_list = {"type": "list_reply", "list_reply": {**REPLY, "description": "Of course"}}
    return [
        message("button", "quick reply", button={"payload": "yes", "text": "Yes"}, context=context),
        message("interactive", "tap", interactive={"type": "button_reply", "button_reply": REPLY}, context=context),
        message("interactive", "choice", interactive=of_list, context=context),
    ]


def test_its_handlers_see_every_message_of_a_batch(gateway: Running, bot: Bot) -> None:
    states = ["sent", "delivered", "read"]
    failed = status("failed", wamid="failed", errors=[{"code": 131026, "title": "Undeliverable", "message": "x"}])
    moved = {"body": "moved", "wa_id": "4915199999999", "type": "user_changed_number"}
    template = {"event": "APPROVED", "message_template_id": 7, "message_template_name": "hi", "reason": None}
    body = envelope(
        change(contacts=[ADA], messages=[*kinds(), *taps(), message("system", "moved", system=moved)]),
        change(contacts=[ADA], statuses=[*[status(state, wamid=state) for state in states], failed]),
        {"field": "message_template_status_update", "value": {**template, "message_template_language": "en"}},
        time=SENT,
    )

    push_through(gateway, body)
    wait_for(lambda: len(bot.seen) >= 20)

    expected = [[f"message {each['type']}", each["id"], PHONE] for each in kinds()]
    expected += [["button", "quick reply", PHONE], ["button", "tap", PHONE], ["selection", "choice", PHONE]]
    expected += [[f"status {state}", state, PHONE] for state in [*states, "failed"]]
    expected += [["number changed", "moved", "4915199999999"], ["template", "hi", "APPROVED"]]
    assert sorted(bot.seen) == sorted(expected)


def test_its_handlers_see_all_of_a_batch_as_large_as_meta_makes_them(gateway: Running, bot: Bot) -> None:
    texts = [message("text", f"in {n}", text={"body": "hi"}) for n in range(100)]
    statuses = [status(wamid=f"out {n}") for n in range(900)]
    body = envelope(change(contacts=[ADA], messages=texts), change(contacts=[ADA], statuses=statuses))

    push_through(gateway, body)
    wait_for(lambda: len(bot.seen) >= 1000)

    expected = [["message text", each["id"], PHONE] for each in texts]
    expected += [["status delivered", each["id"], PHONE] for each in statuses]
    assert sorted(bot.seen) == sorted(expected)


def test_it_handles_every_example_unchanged(gateway: Running, bot: Bot) -> None:
    [entry] = envelope_of({})["entry"]
    body = {**envelope_of({}), "entry": [{**entry, "changes": list(CHANGES.values())}]}

    push_through(gateway, body)
    wait_for(lambda: len(bot.updates) >= len(CHANGES))
    wait_for(lambda: has_delivered_all(gateway))  # pywa answers after its handlers

    assert [said for said in bot.seen if said[0] == "error"] == []
    assert sorted(map(canonical, bot.updates)) == sorted(canonical(envelope_of(each)) for each in CHANGES.values())


def test_it_handles_the_sample_that_a_dry_run_prints(tmp_path: Path, bot: Bot) -> None:
    config = write_config(tmp_path, CONFIG + DESTINATION.format(port=bot.port))
    environ = environment(tmp_path, BOT_APP_SECRET=SECRET)

    with serving(tmp_path, "--config", str(config), "--dry-run", environ=environ) as running:
        command = json.loads(running.out.splitlines()[0])["try"]
        subprocess.run(shlex.split(command), check=True, capture_output=True)
        wait_for(lambda: bot.seen)

    assert [said[::2] for said in bot.seen] == [["message text", PHONE]]


def push_through(gateway: Running, body: Any) -> None:
    """Send a webhook to the gateway before the bot."""
    sent = in_bytes(body)
    assert gateway.ask("POST", PATH, sent, signed(sent))[0] == 200


def has_delivered_all(gateway: Running) -> bool:
    return {each["state"] for each in gateway.json("/api/deliveries?limit=100", bearer())["items"]} == {"delivered"}
