"""The upper bound for accepting messages: flask-smorest routes with the same schemas that store nothing."""

from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
from flask import Flask
from flask_smorest import Api, Blueprint

from app.messages.schemas import BatchItemSchema, BatchResponseSchema, MessageRequestSchema, MessageSchema

NOW = datetime.now(UTC)
MESSAGE = {
    "id": "msg_0199a3f2c4d17b6e8f00112233445566",
    "wamid": None,
    "direction": "outbound",
    "status": "queued",
    "type": "text",
    "to": "+4915112345678",
    "phone_number_id": "9876543210",
    "created_at": NOW,
    "updated_at": NOW,
    "expires_at": NOW,
    "history": [{"status": "queued", "at": NOW}],
}

app = Flask("empty")
app.config.update(API_TITLE="empty", API_VERSION="1", OPENAPI_VERSION="3.1.0")
bp = Blueprint("messages", __name__)


class CheckedBatchSchema(ma.Schema):
    """A batch whose items marshmallow checks, as it does those of an ordinary route."""

    messages = ma.fields.List(ma.fields.Nested(BatchItemSchema), required=True)


@bp.post("/messages")
@bp.arguments(MessageRequestSchema)
@bp.response(202, MessageSchema)
def accept_one(_body: dict[str, Any]) -> dict[str, Any]:
    """Answer as if the message was accepted."""
    return MESSAGE


@bp.post("/messages/batch")
@bp.arguments(CheckedBatchSchema)
@bp.response(200, BatchResponseSchema)
def accept_batch(body: dict[str, Any]) -> dict[str, Any]:
    """Answer as if each message was accepted."""
    return {"results": [{"status": 202, "message": MESSAGE} for _ in body["messages"]]}


Api(app).register_blueprint(bp, url_prefix="/api")
