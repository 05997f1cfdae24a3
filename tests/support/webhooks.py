"""Bodies of webhooks as Meta sends them, and the headers of a request."""

import json
from typing import Any

from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from tests.support.live import LIVE_ENVIRONMENT

APP_SECRET = LIVE_ENVIRONMENT["TEST_APP_SECRET"]
OLD_APP_SECRET = LIVE_ENVIRONMENT["TEST_OLD_APP_SECRET"]
PATH = "/webhooks/whatsapp"


def body_of(text: str = "hi", *, wamid: str = "wamid.HBgL") -> bytes:
    """Return a customer's text message in Meta's envelope."""
    message = {
        "from": "4915112345678",
        "id": wamid,
        "timestamp": "1764000000",
        "type": "text",
        "text": {"body": text},
    }
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "9876543210"},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "4915112345678"}],
        "messages": [message],
    }
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def signed(body: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    """Return the headers of a webhook with this body."""
    return {SIGNATURE_HEADER: signature_of(body, secret), "Content-Type": "application/json"}


def bearer(name: str = "TEST_SERVICE_TOKEN") -> dict[str, str]:
    """Return the header of a client with this token."""
    return {"Authorization": f"Bearer {LIVE_ENVIRONMENT[name]}"}
