"""The signature on pushed events, verified by the library that receivers use."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.cli.new_secrets import new_destination_secret
from app.config.secrets.dry_run import placeholder_of_destination
from app.domain.standard_webhooks import signing_headers

BODY = b'{"id":"evt_1","data":{"text":"\\ud83d\\ude00"}}'
ENCODED = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PLAIN = "a plain secret, its own bytes"
OLD, OTHER = "whsec_" + base64.b64encode(b"o" * 24).decode(), "whsec_" + base64.b64encode(b"x" * 24).decode()


def receiver(secret: str) -> Webhook:
    return Webhook(secret if secret.startswith("whsec_") else secret.encode())


def verifies(secret: str, headers: dict[str, str], body: bytes = BODY) -> bool:
    try:
        receiver(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


OURS = [new_destination_secret(), placeholder_of_destination("crm"), placeholder_of_destination("n" * 64)]


@pytest.mark.parametrize("secret", OURS, ids=["made", "of a dry-run", "of a long name"])
def test_the_secrets_that_we_make_verify_with_the_librarys_ordinary_call(secret: str) -> None:
    headers = signing_headers("evt_1", datetime.now(UTC), BODY, [secret])

    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


@pytest.mark.parametrize("secret", [ENCODED, PLAIN])
def test_a_receiver_with_the_secret_verifies_what_is_pushed(secret: str) -> None:
    headers = signing_headers("evt_1", datetime.now(UTC), BODY, [secret])

    assert verifies(secret, headers)
    assert not verifies(OTHER, headers)
    assert not verifies(secret, headers, BODY + b" ")
    assert not verifies(secret, {**headers, "webhook-id": "evt_2"})


def test_while_a_secret_rotates_receivers_with_either_verify() -> None:
    headers = signing_headers("evt_1", datetime.now(UTC), BODY, [PLAIN, OLD])

    assert headers["webhook-signature"].count("v1,") == 2
    assert verifies(PLAIN, headers)
    assert verifies(OLD, headers)
    assert not verifies(OTHER, headers)


def test_the_headers_hold_id_and_time_beside_the_signature() -> None:
    headers = signing_headers("evt_1", datetime(2026, 1, 2, 12, 0, 0, 999999, UTC), BODY, [PLAIN])

    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-timestamp"] == "1767355200"
