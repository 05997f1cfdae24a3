"""Make and check Meta's webhook signature: HMAC-SHA256 of the received bytes with the app secret as its key.

Source: Meta, Webhooks, "Validating payloads" (`X-Hub-Signature-256: sha256=<64 lowercase hex digits>`).
"""

import hmac
import re
from collections.abc import Sequence

from app.domain.constant_time import constant_time_index
from app.domain.receipt import SignedWith

SIGNATURE_HEADER = "X-Hub-Signature-256"

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def is_signature(header: str) -> bool:
    """Return whether a header holds exactly one signature, in the only form that Meta sends."""
    return _SIGNATURE.fullmatch(header) is not None


def signature_of(body: bytes, secret: str) -> str:
    """Return the value of the header that signs these bytes."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def signed_with(body: bytes, signature: str, secrets: Sequence[str]) -> SignedWith | None:
    """Return which of the active secrets (the current one first) made this signature; None if none did."""
    candidates = (signature_of(body, secret).encode() for secret in secrets)
    match constant_time_index(signature.encode(), candidates):
        case None:
            return None
        case 0:
            return "current"
        case _:
            return "previous"
