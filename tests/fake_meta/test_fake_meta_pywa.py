"""pywa, a client library of others, understands every answer and every webhook of the fake Meta."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pywa import WhatsApp
from pywa.errors import TooManyMessages, WhatsAppError
from pywa.types import Button, RawUpdate, Section, SectionList, SectionRow
from pywa.types.media import Media

from app.graph.fake.acting import act
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.webhooks import Change, bytes_of
from tests.fake_meta.test_fake_meta_customers import ACTIONS, PHONE
from tests.fake_meta.test_fake_meta_numbers import FAILURES, ORDERS
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS, TOKEN, CalledMeta, fake_meta


class ToFake(httpx.HTTPTransport):
    """Sends what is meant for Meta's host to the fake, and nothing elsewhere."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = httpx.URL(origin)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host in ("graph.facebook.com", self._origin.host)
        request.url = request.url.copy_with(scheme="http", host=self._origin.host, port=self._origin.port)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def server() -> Iterator[FakeMetaServer]:
    with fake_meta() as server:
        yield server


@pytest.fixture
def pywa(server: FakeMetaServer) -> Iterator[WhatsApp]:
    with httpx.Client(transport=ToFake(server.url), timeout=60) as session:
        yield WhatsApp(NUMBER, TOKEN, session=session, waba_id=WABA, app_id=ACCOUNTS.app_id)


def parsed(pywa: WhatsApp, change: Change) -> Any:
    """Return what pywa makes of a webhook; a mistake in it is raised."""
    update = RawUpdate(bytes_of([change]), hmac_header=None, update_hash="x")
    handler = pywa._get_handler_type(update)
    assert handler is not None
    return pywa._handlers_to_updates[handler].from_update(client=pywa, update=update)


def test_pywa_reads_the_answer_to_a_text(pywa: WhatsApp) -> None:
    sent = pywa.send_message("9990000000", "hi", tracker="t")

    assert sent.id.startswith("wamid.")
    assert sent.input == "9990000000"


def test_pywa_sends_buttons_a_list_a_place_and_a_reaction(pywa: WhatsApp) -> None:
    rows = [Section("Sizes", [SectionRow("Small", "s", "20 cm")])]
    sent = [
        pywa.send_message("9990000000", "?", buttons=[Button("Yes", "yes"), Button("No", "no")]),
        pywa.send_message("9990000000", "?", buttons=SectionList("Choose", rows)),
        pywa.send_location("9990000000", 52.52, 13.405, "Berlin", "Mitte"),
    ]
    sent.append(pywa.send_reaction("9990000000", "👍", sent[0].id))

    assert len({message.id for message in sent}) == 4


def test_pywa_uploads_sends_fetches_and_deletes_a_picture(pywa: WhatsApp) -> None:
    media = pywa.upload_media(b"\x89PNG", mime_type="image/png", filename="a.png")
    assert isinstance(media, Media)
    sent = pywa.send_image("9990000000", media.id, caption="here")
    url = pywa.get_media_url(media.id)

    assert sent.id
    assert pywa.get_media_bytes(url.url) == b"\x89PNG"
    assert url.mime_type == "image/png"
    assert pywa.delete_media(media.id)


def test_pywa_marks_a_received_message_as_read(pywa: WhatsApp, server: FakeMetaServer) -> None:
    received = act(server.control.meta, {"from": PHONE, "type": "text", "text": "hi"}, server.url)

    assert pywa.mark_message_as_read(received)


def test_pywa_reads_the_number(pywa: WhatsApp) -> None:
    assert pywa.get_business_phone_number().verified_name == "Test business"


@pytest.mark.parametrize(("ending", "code"), [("2190", 190), ("3002", 2), ("2133", 100), ("2001", 132001)])
def test_pywa_reads_a_refusal(pywa: WhatsApp, ending: str, code: int) -> None:
    with pytest.raises(WhatsAppError) as refused:
        pywa.send_message(f"999000{ending}", "hi")

    assert refused.value.code == code


def test_pywa_has_a_class_for_the_pair_limit(pywa: WhatsApp) -> None:
    with pytest.raises(TooManyMessages):
        pywa.send_message("9990003056", "hi")


@pytest.mark.parametrize("ending", [*ORDERS, *FAILURES])
def test_pywa_reads_every_status(pywa: WhatsApp, meta: CalledMeta, ending: str) -> None:
    meta.send(f"+999000{ending}", biz_opaque_callback_data="t")

    for _, change in meta.outlet.planned:
        [told] = change.value["statuses"]
        status = parsed(pywa, change)
        assert (status.status, status.tracker) == (told["status"], told.get("biz_opaque_callback_data"))
        assert status.from_user.wa_id == told["recipient_id"]
        assert (status.error is not None) == (told["status"] == "failed")
        assert (status.pricing is not None) == ("pricing" in told)


@pytest.mark.parametrize("kind", sorted(set(ACTIONS) - {"unsupported"}))
def test_pywa_reads_what_customers_do(pywa: WhatsApp, meta: CalledMeta, kind: str) -> None:
    act(meta.meta, {"from": PHONE, "type": kind, **ACTIONS[kind]}, "https://meta.example")

    update = parsed(pywa, meta.outlet.planned[-1][1])
    assert update.from_user.wa_id == PHONE.lstrip("+")


def test_pywa_reads_the_verdict_on_a_template(pywa: WhatsApp, meta: CalledMeta) -> None:
    template = {
        "name": "x",
        "language": "en_US",
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hi"}],
    }
    meta.ask("POST", f"{WABA}/message_templates", template)

    update = parsed(pywa, meta.outlet.planned[-1][1])
    assert update.new_status == "APPROVED"
    assert update.template_name == "x"
