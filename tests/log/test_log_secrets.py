"""No log line shows a secret of the config or a query string, however JSON writes it."""

import json
import logging

import pytest

from app.log.json_lines import JsonFormatter

SECRETS = ["plain-secret", 'quo"ted-secret', "back\\slash-secret", "new\nline-secret", "sécret-étrange"]


def line_about(text: str, *, secrets: list[str]) -> dict[str, str]:
    record = logging.makeLogRecord({"name": "app.test", "levelname": "INFO", "msg": text, "reason": text})
    line: dict[str, str] = json.loads(JsonFormatter(secrets).format(record))
    return line


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_replaced_in_the_event_and_in_each_field(secret: str) -> None:
    line = line_about(f"got {secret}.", secrets=SECRETS)

    assert (line["event"], line["reason"]) == ("got [secret].", "got [secret].")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_replaced_in_a_field_that_is_no_text(secret: str) -> None:
    odd = {
        "asked": [f"got {secret}", ("/hooks?hub.verify_token=abc", 7)],
        secret: ValueError(f"got {secret}"),
        1: None,
    }
    record = logging.makeLogRecord({"name": "app.test", "levelname": "INFO", "msg": "odd", "reason": odd})

    line = json.loads(JsonFormatter(SECRETS).format(record))

    assert line["reason"] == {
        "asked": ["got [secret]", ["/hooks?…", 7]],
        "[secret]": "got [secret]",
        "1": None,
    }


def test_the_trace_of_an_error_shows_no_secret() -> None:
    error = ValueError("got plain-secret")
    record = logging.makeLogRecord({"levelname": "ERROR", "exc_info": (ValueError, error, None)})

    assert "plain-secret" not in JsonFormatter(SECRETS).format(record)


def test_a_query_string_is_cut_off() -> None:
    assert line_about("GET /webhooks?hub.verify_token=abc done", secrets=[])["event"] == "GET /webhooks?… done"


def test_a_line_without_a_secret_is_as_it_was_given() -> None:
    assert line_about('a "quoted" path\\name', secrets=SECRETS)["reason"] == 'a "quoted" path\\name'
