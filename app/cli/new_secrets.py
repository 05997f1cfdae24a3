"""Make tokens and secrets at random."""

import base64
import secrets

from app.domain.standard_webhooks import ENCODED

TOKEN_PREFIX = "wats_wh_"  # noqa: S105 - what tokens begin with
RANDOM_BYTES = 32


def new_token() -> str:
    """Return a verify token or a service token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def new_destination_secret() -> str:
    """Return a destination's secret in the form of Standard Webhooks, whose libraries take no other."""
    return ENCODED + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()
