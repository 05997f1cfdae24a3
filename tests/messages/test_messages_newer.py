"""What newer code has written of messages is shown as it stands."""

from flask.testing import FlaskClient
from sqlalchemy import update

from app.gateway import Gateway
from app.store.tables.message_schema import messages
from app.store.tables.sending_schema import send_scopes
from tests.support.sends import queued, refused, send
from tests.support.webhooks import bearer


def test_what_newer_code_has_written_is_shown_as_it_stands(client: FlaskClient, gateway: Gateway) -> None:
    store = gateway.store
    newer, *_ = queued(store, 3)
    send(store, refused(190))
    is_newer = messages.c.id == newer.row_id
    store.write(lambda c: c.execute(update(messages).where(is_newer).values(status="pondering")))
    store.write(lambda c: c.execute(update(send_scopes).values(error_class="pondering")))

    paths = [f"/api/messages/{newer.id}", "/api/messages", "/api/sending/pauses", "/status"]
    shown = [client.get(path, headers=bearer()) for path in paths]

    assert [response.status_code for response in shown] == [200] * 4
    assert shown[0].get_json()["status"] == "pondering"
    assert shown[2].get_json()["items"][0]["class"] == "pondering"
