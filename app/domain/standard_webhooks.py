"""The signature on pushed events, as the libraries of receivers verify it.

Source: the Standard Webhooks specification, version 1 (`webhook-id`, `webhook-timestamp`, `webhook-signature`).
"""

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

ENCODED = "whsec_"
"""The prefix of a secret whose remainder is base64. Any other secret signs with its own bytes."""


def signing_headers(message_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three headers of a message: its id, the time, and a signature by each active secret."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (hmac.digest(key_of(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join("v1," + base64.b64encode(signature).decode() for signature in signatures),
    }


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret signs with."""
    if secret.startswith(ENCODED):
        return base64.b64decode(secret.removeprefix(ENCODED))
    return secret.encode()
