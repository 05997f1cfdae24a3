"""What newer code has written of deliveries, receipts and files, as during an upgrade, is shown as it stands."""

from flask.testing import FlaskClient
from sqlalchemy import update

from app.domain.meta.media import Media
from app.domain.split import SplitEvent
from app.gateway import Gateway
from app.store.tables.media_schema import media_files
from app.store.tables.schema import deliveries, receipts
from tests.support.events import new_event, put_delivery
from tests.support.webhooks import bearer
from tests.support.work import add_events


def test_states_of_newer_code_are_shown_as_they_stand(client: FlaskClient, gateway: Gateway) -> None:
    add_events(gateway.store, SplitEvent(new_event(), media=(Media("1", "image/jpeg"),)))
    put_delivery(gateway.store, 1, state="dead")
    for table in (deliveries, receipts, media_files):
        gateway.store.write(lambda c, table=table: c.execute(update(table).values(state="pondering")))  # type: ignore[misc]

    lists = ["/api/deliveries", "/api/receipts", "/api/media", "/api/deliveries/dlv_1", "/api/receipts/rcp_1"]
    answers = [client.get(path, headers=bearer()) for path in [*lists, "/status"]]

    assert [answer.status_code for answer in answers] == [200] * 6
    shown = [answer.get_json() for answer in answers[:5]]
    assert [body["items"][0]["state"] if "items" in body else body["state"] for body in shown] == ["pondering"] * 5


def test_a_state_of_newer_code_cannot_be_asked_for(client: FlaskClient) -> None:
    lists = [
        client.get(f"/api/{name}?state=pondering", headers=bearer()) for name in ("deliveries", "receipts", "media")
    ]
    replay = client.post("/api/deliveries/replay", json={"state": "pondering"}, headers=bearer())

    assert [answer.status_code for answer in lists] == [400] * 3
    assert (replay.status_code, replay.get_json()["error"]["details"]["fields"][0]["pointer"]) == (422, "/state")
