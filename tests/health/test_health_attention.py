"""What goes wrong with a gateway stands under `attention`, in the command, in a metric and in one log line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.serving import Running, environment, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of

HANDSHAKE = f"{PATH}?hub.mode=subscribe&hub.challenge=1&hub.verify_token="
REFUSED = ("webhooks_refused", "missing_signature")
HANDSHAKES = ("webhooks_refused", "verify_token_mismatch")

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway of two web processes whose webhooks are refused, and whose handshake fails and then succeeds."""
    folder = tmp_path_factory.mktemp("gateway")
    start = {"WATS_CONFIG": str(write_config(folder)), "WATS_MODE": "live", "WATS_YES_LIVE": "1"}
    with serving(folder, environ=environment(folder, WEB_CONCURRENCY="2", **start)) as running:
        for _ in range(9):
            assert running.ask("POST", PATH, body_of())[0] == 401
        assert running.ask("GET", HANDSHAKE + "wrong")[0] == 403
        wait_for(lambda: {REFUSED, HANDSHAKES} <= set(told(running, "alert.opened")))
        assert running.ask("GET", HANDSHAKE + LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"])[0] == 200
        wait_for(lambda: HANDSHAKES in told(running, "alert.closed"))
        yield running


def lines(running: Running, event: str) -> list[dict[str, Any]]:
    return [line for text in running.err.splitlines() if f'"{event}"' in text and (line := json.loads(text))]


def told(running: Running, event: str) -> list[tuple[str, str]]:
    return [(line["alert"], line["subject"]) for line in lines(running, event)]


def test_refused_webhooks_stand_under_attention_until_they_are_cured(gateway: Running) -> None:
    [alert] = gateway.json("/status", bearer())["attention"]

    assert (alert["code"], alert["subject"]) == REFUSED
    assert alert["cause"] == "9 requests to the webhook's path refused (missing_signature), none was ever accepted"
    assert alert["since"] is not None


def test_the_command_ends_with_code_1_and_tells_the_cure(gateway: Running) -> None:
    ended = run("status", environ=gateway.environ)

    assert ended.returncode == 1
    assert "see that a proxy passes the header X-Hub-Signature-256 on" in ended.stderr


def test_the_metric_counts_it_over_all_processes(gateway: Running) -> None:
    metrics = gateway.ask("GET", "/metrics", headers=bearer())[1].decode()

    assert 'wats_attention{alert="webhooks_refused"} 1.0' in metrics
    assert 'wats_webhooks_refused_total{reason="missing_signature"} 9.0' in metrics


def test_the_log_has_one_line_when_it_begins_and_one_when_it_is_over(gateway: Running) -> None:
    assert sorted(told(gateway, "alert.opened")) == [REFUSED, HANDSHAKES]
    assert told(gateway, "alert.closed") == [HANDSHAKES]


def test_the_line_of_a_refused_request_has_the_code_of_its_error(gateway: Running) -> None:
    answered = {(line["status"], line.get("error")) for line in lines(gateway, "http.request")}

    assert {(401, "missing_signature"), (403, "verify_token_mismatch"), (200, None)} <= answered
    assert [line for line in answered if line[0] >= 400 and line[1] is None] == []
