"""The signature on what we push, as receivers' libraries verify it.

Source: the Standard Webhooks specification, version 1 (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

ENCODED = "whsec_"
"""What a secret starts with whose bytes are the rest, decoded from base64. Any other secret is its own bytes."""


def signing_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a message: its id, when it is sent, and a signature under every active secret."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (hmac.digest(key_of(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join("v1," + base64.b64encode(signature).decode() for signature in signatures),
    }


def key_of(secret: str) -> bytes:
    """The bytes that a secret signs with."""
    if secret.startswith(ENCODED):
        return base64.b64decode(secret.removeprefix(ENCODED))
    return secret.encode()
