"""Bots with SDKs of others, pointed at wats as docs/graph.md says: they lose nothing, and never have Meta's token."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pywa import WhatsApp
from pywa.errors import WhatsAppError
from pywa.types import Button, Section, SectionList, SectionRow
from pywa.types.templates import BodyText, Template, TemplateCategory, TemplateLanguage

from app.graph.fake.acting import act
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.switches import set_switches
from tests.graph_proxy.conftest import GRAPH_TOKEN, asked_by_clients
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS, TOKEN
from tests.support.node import run_node
from tests.support.serving import ROOT, Running

TO = "9990000000"
PNG = b"\x89PNG\r\n\x1a\n"
SAMPLES = dict(re.findall(r"```(python|js)\n(.*?)```", (ROOT / "docs" / "graph.md").read_text(), re.DOTALL))
MORE_OF_NODE = """
const phoneNumberId = process.env.PHONE_NUMBER_ID, to = process.env.TO;
const buttons = [{ id: "yes", title: "Yes" }];
await client.messages.sendInteractiveButtons({ phoneNumberId, to, bodyText: "?", buttons });
const file = new Blob([new Uint8Array([137, 80, 78, 71])], { type: "image/png" });
const uploaded = await client.media.upload({ phoneNumberId, type: "image/png", file, fileName: "a.png" });
await client.messages.sendImage({ phoneNumberId, to, image: { id: uploaded.id } });
const media = await client.media.get({ mediaId: uploaded.id });
const templates = await client.templates.list({ businessAccountId: process.env.WABA });
await client.messages.markRead({ phoneNumberId, messageId: process.env.RECEIVED });
let refusal;
try {
  await client.messages.sendText({ phoneNumberId, to: "9990002030", body: "Hello" });
} catch (error) {
  refusal = [error.httpStatus, error.code, error.retry.action];
}
console.log(JSON.stringify({ url: media.url, templates: templates.data.length, refusal }));
"""


class Watched(httpx.BaseTransport):
    """Remembers what the bot is told, and by which host."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.told: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        response.read()
        self.told.append(f"{request.url} {response.headers} {response.text}")
        return response

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def transport(running: Running, monkeypatch: pytest.MonkeyPatch) -> httpx.BaseTransport:
    """Return the transport of the documented sample, which it uses as it is written."""
    monkeypatch.setenv("WATS_GRAPH_URL", f"http://127.0.0.1:{running.port}/api/graph")
    sample: dict[str, Any] = {}
    exec(compile(SAMPLES["python"], "docs/graph.md", "exec"), sample)
    transport: httpx.BaseTransport = sample["ToWats"]()
    return transport


@pytest.fixture
def watched(transport: httpx.BaseTransport) -> Watched:
    return Watched(transport)


@pytest.fixture
def bot(watched: Watched) -> Iterator[WhatsApp]:
    with httpx.Client(transport=watched, timeout=60) as session:
        yield WhatsApp(NUMBER, GRAPH_TOKEN, session=session, waba_id=WABA, app_id=ACCOUNTS.app_id)


def posts(meta: FakeMetaServer) -> list[dict[str, Any]]:
    return meta.control.journal.entries("/messages")


def test_pywa_does_all_it_did_and_never_sees_metas_token(
    bot: WhatsApp, watched: Watched, meta: FakeMetaServer
) -> None:
    received = act(meta.control.meta, {"from": "+4915112345678", "type": "text", "text": "hi"}, meta.url)
    rows = [Section("Sizes", [SectionRow("Small", "s", "20 cm")])]

    sent = [
        bot.send_message(TO, "hi"),
        bot.send_message(TO, "?", buttons=[Button("Yes", "yes"), Button("No", "no")]),
        bot.send_message(TO, "?", buttons=SectionList("Choose", rows)),
        bot.send_template(TO, "hello_world", TemplateLanguage.ENGLISH_US, []),
        bot.send_image(TO, PNG, mime_type="image/png", caption="here"),
    ]
    media = bot.upload_media(PNG, mime_type="image/png", filename="a.png")
    url = bot.get_media_url(media.id)
    read = bot.mark_message_as_read(received)

    assert len({message.id for message in sent}) == len(sent)
    assert {message.input for message in sent} == {TO}
    assert read
    assert url.url.endswith(f"/api/media/{media.id}/content")
    assert bot.get_media_bytes(url.url) == PNG
    assert len(posts(meta)) == len(sent) + 1
    assert not [told for told in watched.told if TOKEN in told]
    assert GRAPH_TOKEN not in str(asked_by_clients(meta))
    assert {entry["headers"]["authorization"] for entry in asked_by_clients(meta)} == {f"Bearer {TOKEN}"}


def test_pywa_manages_templates(bot: WhatsApp, watched: Watched, meta: FakeMetaServer) -> None:
    for name in ("first", "second"):
        bot.create_template(
            Template(
                name=name,
                language=TemplateLanguage.ENGLISH_US,
                category=TemplateCategory.UTILITY,
                components=[BodyText("Your order is here")],
            )
        )

    names = [template.name for template in bot.get_templates()]
    deleted = bot.delete_template("first")

    assert sorted(names) == ["first", "second"]
    assert deleted
    assert not [told for told in watched.told if TOKEN in told]


def test_pywa_uploads_in_a_session(bot: WhatsApp, meta: FakeMetaServer) -> None:
    api = bot.api
    session = api.create_upload_session(ACCOUNTS.app_id, "a.png", len(PNG), "image/png")["id"]

    handle = api.upload_file(session, PNG)["h"]

    assert handle.startswith("4::")
    assert asked_by_clients(meta)[-1]["headers"]["authorization"] == f"OAuth {TOKEN}"
    assert asked_by_clients(meta)[-1]["headers"]["file_offset"] == "0"


def test_pywa_that_gives_up_and_says_it_again_has_sent_one_message(
    bot: WhatsApp, transport: httpx.BaseTransport, meta: FakeMetaServer
) -> None:
    set_switches(meta.control.meta.state, {"answer_seconds": 7.0, "pace": 100})
    with httpx.Client(transport=transport) as session:  # with pywa's own time-out, of five seconds
        impatient = WhatsApp(NUMBER, GRAPH_TOKEN, session=session)
        with pytest.raises(httpx.ReadTimeout):  # statuses, which would tell the answer earlier, are late too
            impatient.send_message(TO, "are you there?")

    again = bot.send_message(TO, "are you there?")

    assert again.input == TO
    assert len(posts(meta)) == 1


def test_pywa_that_says_the_same_twice_has_sent_two_messages(bot: WhatsApp, meta: FakeMetaServer) -> None:
    ids = {bot.send_message(TO, "yes").id for _ in range(2)}

    assert len(ids) == 2
    assert len(posts(meta)) == 2


def test_pywa_reads_our_refusals_and_metas(bot: WhatsApp, meta: FakeMetaServer) -> None:
    codes = []
    for to, text in (("9990002030", "hi"), (TO, "x" * 5000)):
        with pytest.raises(WhatsAppError) as refused:
            bot.send_message(to, text)
        codes.append(refused.value.code)

    assert codes == [131030, 100]


@pytest.mark.parametrize(
    "url", ["https://api.facebook.com/1", "https://lookaside.fbsbx.com/1", "http://127.0.0.1:1/"]
)
def test_the_token_of_a_bot_is_sent_nowhere_else(url: str, transport: httpx.BaseTransport) -> None:
    with httpx.Client(transport=transport) as session, pytest.raises(httpx.UnsupportedProtocol):
        session.get(url, headers={"Authorization": f"Bearer {GRAPH_TOKEN}"})


def test_a_bot_in_node_does_the_same(running: Running, meta: FakeMetaServer) -> None:
    received = act(meta.control.meta, {"from": "+4915112345678", "type": "text", "text": "hi"}, meta.url)
    environ = {"PHONE_NUMBER_ID": NUMBER, "WATS_BOT_TOKEN": GRAPH_TOKEN, "TO": TO, "WABA": WABA, "RECEIVED": received}
    base = f"http://127.0.0.1:{running.port}/api/graph"

    done = run_node(SAMPLES["js"] + MORE_OF_NODE, WATS_GRAPH_URL=base, **environ)

    assert done.returncode == 0, done.stderr
    sent, told = done.stdout.splitlines()
    found = json.loads(told)
    assert sent.startswith("wamid.")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/media/\d+/content", found["url"])
    assert (found["templates"], found["refusal"]) == (0, [400, 131030, "fix_and_retry"])
    assert TOKEN not in done.stdout
    assert {entry["headers"]["authorization"] for entry in asked_by_clients(meta)} == {f"Bearer {TOKEN}"}
