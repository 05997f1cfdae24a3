"""Messages are written as their schema says."""

import json
from datetime import timedelta

import pytest

from app.domain.message import HistoryEntry, Message, MessageStatus
from app.messages.schemas import MessageSchema, message_json, written_message
from tests.support.messages import stored_message
from tests.support.store import NOON

QUEUED = stored_message(id="msg_0199a3f2c4d17b6e8f00112233445566")
TOLD = QUEUED._replace(
    status=MessageStatus.READ,
    recipient="DE.13491208655302741918",
    wamid="wamid.1",
    tracker="order 7",
    history=tuple(HistoryEntry(status, NOON + timedelta(seconds=1.5)) for status in MessageStatus),
    meta_status="accepted",
    meta_contact={"wa_id": "4915112345678"},
    error={"code": 131026, "error_data": {"details": "é"}},
    pricing={"billable": True},
    second_wamid="wamid.2",
)


@pytest.mark.parametrize("message", [QUEUED, TOLD])
@pytest.mark.parametrize("warnings", [(), ("one", "two")])
def test_a_message_is_written_as_its_schema_writes_it(message: Message, warnings: tuple[str, ...]) -> None:
    by_schema = MessageSchema().dump(message_json(message, warnings))

    written = written_message(message, warnings)

    assert json.dumps(written) == json.dumps(by_schema)
