"""How `doctor` judges what it is told: pure rules, and a handshake with servers that are not wats."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from app.cli.doctor import machine
from app.cli.doctor.database import database, schema
from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.handshake import handshake
from app.cli.doctor.health import health
from app.cli.doctor.meta import GraphAnswer
from app.cli.doctor.subscription import app_subscription, override, waba_subscription
from app.cli.unmatched import unmatched_of
from app.config import ConfigError, ConfigProblem, Flags, Settings, client_settings
from app.store import SchemaStatus, Store
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, write_config

OK, WARNING, ERROR = Level
APP = {"object": "whatsapp_business_account", "callback_url": "https://h/webhooks/whatsapp", "active": True}


def settings_in(folder: Path, **environ: str) -> Settings:
    flags = Flags(config=write_config(folder), live=True, yes_live=True)
    return client_settings(flags, {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(folder / "data"), **environ})


def worst(findings: list[Finding]) -> list[tuple[str, Level]]:
    return [(finding.check, finding.level) for finding in findings if finding.level is not OK]


def test_fields_that_the_gateway_reacts_to_are_missed() -> None:
    answer = GraphAnswer({"data": [{**APP, "fields": ["messages", {"name": "flows"}]}]})

    subscription = app_subscription("7", "SECRET", answer, None)

    assert worst(list(subscription.findings)) == [("fields", WARNING)]
    assert subscription.callback_url("/webhooks/whatsapp") == APP["callback_url"]
    assert subscription.callback_url("/elsewhere") is None


def test_an_account_that_cannot_be_asked_is_reported_with_metas_reason() -> None:
    [found] = waba_subscription("1", "7", GraphAnswer(refusal="Meta says 200: no permission", cure="give it"))

    assert (found.level, found.cure) == (ERROR, "give it")


def test_an_override_to_our_own_address_is_as_it_should_be() -> None:
    [found] = override("number 1", "https://h/x", "https://h/x")

    assert found.level is OK
    assert list(override("number 1", None, "https://h/x")) == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, []),
        ({"can_send_message": "AVAILABLE", "entities": "odd"}, []),
        ({"can_send_message": "LIMITED", "entities": [None, {"errors": [None]}]}, [("health", WARNING)]),
        (
            {
                "can_send_message": "LIMITED",
                "entities": [{"can_send_message": "LIMITED", "errors": [{"error_code": 1}]}],
            },
            [("health", WARNING)],
        ),
    ],
)
def test_a_health_status_is_read_as_far_as_it_can_be(status: Any, expected: list[tuple[str, Level]]) -> None:
    assert worst(list(health("number 1", {"health_status": status}))) == expected


@dataclass
class Opened:
    """What is asked of an open store."""

    writes: str
    kind: str = "sqlite"
    source: str = "WATS_DATA_DIR"

    def checks(self) -> dict[str, str]:
        return {"database": self.writes}


@pytest.mark.parametrize(
    ("status", "writes", "level", "cure"),
    [
        (SchemaStatus(None, "0010", compatible=False), "ok", OK, ""),
        (SchemaStatus("0011", "0010", compatible=False), "ok", ERROR, "run the newer code"),
        (SchemaStatus("0009", "0010", compatible=False), "ok", ERROR, "db upgrade"),
        (SchemaStatus("0010", "0010", compatible=True), "the database is read-only", ERROR, "WATS_DATA_DIR"),
        (SchemaStatus("0010", "0010", compatible=True), "ok", OK, ""),
    ],
)
def test_a_schema_is_judged_by_this_code(status: SchemaStatus, writes: str, level: Level, cure: str) -> None:
    found = schema(cast("Store", Opened(writes)), status)

    assert found.level is level
    assert cure in found.cure


def test_a_file_in_the_place_of_the_folder_is_found(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "data").write_text("")

    assert worst(list(database(settings))) == [("database", ERROR)]


def test_a_missing_config_is_reported_with_the_commands_that_write_one() -> None:
    with pytest.raises(ConfigError) as refused:
        client_settings(Flags(config=Path("/nowhere.yaml"), dry_run=True), {})

    [found] = machine.problems(list(refused.value.problems), needs_secrets=False)

    assert found.message == "/nowhere.yaml: the file does not exist [file_missing]"
    assert found.cure.startswith("`flask wats setup` or `flask wats init` writes one, and --config")


def test_a_missing_secret_is_reported_with_the_command_that_says_where_meta_shows_it() -> None:
    [found] = machine.problems([ConfigProblem("secret_missing", "auth", "T is not set")], needs_secrets=True)

    assert "flask wats onboarding" in found.cure


def test_a_variable_that_is_missing_in_a_trial_is_reported_once(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), warnings=("WATS_WABA_ID is not set; it is 1", "something is odd"))

    findings = list(machine.config(settings, ["WATS_WABA_ID"]))

    assert [finding.message for finding in findings[1:]] == ["something is odd"]


def test_what_a_resolved_destination_never_gets_is_reported(tmp_path: Path) -> None:
    text = (
        CONFIG
        + """
    destinations:
      - { name: crm, url: "http://h/", secret: { env: CRM }, types: [message.txt], phoneNumberIds: ["42"] }
"""
    )
    flags = Flags(config=write_config(tmp_path, text), live=True, yes_live=True)
    environ = {**LIVE_ENVIRONMENT, "CRM": "crm-secret-0123456789", "WATS_DATA_DIR": str(tmp_path)}
    settings = client_settings(flags, environ)

    told = list(unmatched_of(settings.destinations, settings.whatsapp.phone_number_ids))

    assert [text.partition(":")[0] for text in told] == [
        "destination crm.types",
        "destination crm.phoneNumberIds",
    ]


class _Echoing(BaseHTTPRequestHandler):
    """Gives every challenge back, whatever the token is."""

    def do_GET(self) -> None:
        [challenge] = parse_qs(urlsplit(self.path).query)["hub.challenge"]
        self.send_response(200)
        self.send_header("Content-Length", str(len(challenge)))
        self.end_headers()
        self.wfile.write(challenge.encode())

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate breaks the connection off."""


@contextlib.contextmanager
def echoing(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = _Quiet(("127.0.0.1", 0), _Echoing)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_takes_any_verify_token_is_not_wats(tmp_path: Path) -> None:
    with echoing() as port:
        findings = list(handshake(f"http://127.0.0.1:{port}/", settings_in(tmp_path)))

    assert [(finding.level, "any verify token" in finding.message) for finding in findings] == [
        (OK, False),
        (ERROR, True),
    ]


def test_a_certificate_that_meta_would_not_trust_is_reported(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)

    with echoing(context) as port:
        [found] = handshake(f"https://localhost:{port}/", settings_in(tmp_path))

    assert found.level is ERROR
    assert "certificate that is not trusted" in found.message
