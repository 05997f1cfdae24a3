"""What we push, verified by the Standard Webhooks library of Node with its ordinary call."""

import json
from datetime import UTC, datetime

import pytest

from app.cli.new_secrets import new_destination_secret
from app.config.secrets.dry_run import placeholder_of_destination
from app.domain.standard_webhooks import signing_headers
from tests.support.node import run_node

BODY = '{"id":"evt_1","data":{"text":"\\ud83d\\ude00"}}'
VERIFY = """
import { Webhook } from "standardwebhooks";
const [secret, body, headers] = process.argv.slice(2);
console.log(JSON.stringify(new Webhook(secret).verify(body, JSON.parse(headers))));
"""


@pytest.mark.parametrize(
    "secret", [new_destination_secret(), placeholder_of_destination("crm")], ids=["made", "dry-run"]
)
def test_the_secrets_that_we_make_verify(secret: str) -> None:
    headers = json.dumps(signing_headers("evt_1", datetime.now(UTC), BODY.encode(), [secret]))

    done = run_node(VERIFY, secret, BODY, headers)
    refused = run_node(VERIFY, secret, BODY + " ", headers)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(BODY)
    assert refused.returncode != 0
