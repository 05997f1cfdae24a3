"""`doctor --live`: what is wrong at Meta, told by a fake of it on a real socket, and the command as a whole."""

import json
import shutil
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.doctor import machine
from app.cli.doctor.database import COMFORTABLE_MEGABYTES, database, disk
from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.handshake import handshake, handshake_at
from app.cli.doctor.live import Visit
from app.cli.onboarding import FIELDS
from app.config import ConfigProblem, Flags, Settings, load_settings
from app.config.schema.databases import path_in
from app.graph.client import GraphClient
from app.graph.fake.server import FakeMetaServer
from app.graph.fake.subscriptions import APP_KIND
from tests.support.envelopes import NUMBER, WABA
from tests.support.fake_meta import ACCOUNTS, AT, TOKEN, fake_meta
from tests.support.live import CONFIG, LIVE_ENVIRONMENT, PROFILE, write_config
from tests.support.serving import Running, environment, free_port, run, serving
from tests.support.terminal import on_a_terminal

NOW = datetime.fromtimestamp(AT, UTC)
CALLBACK = "https://wats.example.com/webhooks/whatsapp"
OTHER = "https://other.example.com/hook"
UNPAID = {
    "can_send_message": "BLOCKED",
    "entities": [
        {
            "entity_type": "WABA",
            "id": WABA,
            "can_send_message": "BLOCKED",
            "errors": [
                {"error_code": 141006, "error_description": "No payment", "possible_solution": "Add a payment method"}
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeMetaServer]:
    with fake_meta() as running:
        yield running


@pytest.fixture
def meta(server: FakeMetaServer) -> FakeMetaServer:
    """A Meta at which everything is as it should be."""
    server.control.reset()
    state = server.control.state
    state.put("subscription", WABA, {"url": None})
    fields = [{"name": name, "version": "v25.0"} for name in FIELDS]
    webhook = {"object": "whatsapp_business_account", "callback_url": CALLBACK, "active": True, "fields": fields}
    state.put(APP_KIND, ACCOUNTS.app_id, webhook)
    return server


def live_settings(folder: Path, server: FakeMetaServer, **environ: str) -> Settings:
    config = write_config(folder, with_graph(server.url))
    variables = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(folder / "data"), **environ}
    return load_settings(Flags(config=config, live=True, yes_live=True), variables)


def with_graph(url: str) -> str:
    return f'{PROFILE}    graph: {{ apiVersion: v25.0, baseUrl: "{url}" }}\n'


def visited(settings: Settings, callback_url: str | None = CALLBACK) -> list[Finding]:
    graph = settings.graph

    def client(token: str) -> GraphClient:
        return GraphClient(graph.base_url, graph.api_version, token, lambda: NOW, secrets=settings.secret_values)

    assert settings.access_token is not None
    return list(Visit(settings, client(settings.access_token.current), client, NOW, callback_url).findings())


def bad(findings: list[Finding]) -> list[tuple[str, Level]]:
    return [(finding.check, finding.level) for finding in findings if finding.level is not Level.OK]


def test_where_all_is_well_every_check_says_so(meta: FakeMetaServer, tmp_path: Path) -> None:
    findings = visited(live_settings(tmp_path, meta))

    assert bad(findings) == []
    assert {finding.check for finding in findings} == {
        *("graphVersion", "token", "appSecret", "appWebhook", "fields", "account", "accountWebhook"),
        *("number", "quality", "limits", "health", "payment"),
    }


ERROR, WARNING = Level.ERROR, Level.WARNING
SOON, LATER = int((NOW + timedelta(days=3)).timestamp()), int((NOW + timedelta(days=60)).timestamp())
BROKEN = [
    ("token", {"is_valid": False, "error": {"message": "was revoked"}}, "token", ERROR, "Generate token"),
    ("token", {"expires_at": SOON}, "token", ERROR, "never expires"),
    ("token", {"expires_at": LATER}, "token", WARNING, "never expires"),
    ("token", {"scopes": ["whatsapp_business_messaging"]}, "token", ERROR, "System users"),
    (NUMBER, {"quality_rating": "RED"}, "quality", ERROR, "WhatsApp Manager"),
    (NUMBER, {"quality_rating": "YELLOW"}, "quality", WARNING, "WhatsApp Manager"),
    (NUMBER, {"status": "DISCONNECTED"}, "number", ERROR, f"POST /{NUMBER}/register"),
    (NUMBER, {"health_status": {"can_send_message": "BLOCKED"}}, "health", ERROR, "WhatsApp Manager"),
    (NUMBER, {"health_status": {"can_send_message": "LIMITED"}}, "health", WARNING, "WhatsApp Manager"),
    (NUMBER, {"webhook_configuration": {"phone_number": OTHER}}, "override", ERROR, "webhook_configuration"),
    (WABA, {"health_status": UNPAID}, "payment", ERROR, "Add a payment method"),
]


@pytest.mark.parametrize(
    ("node", "fields", "check", "level", "cure"), BROKEN, ids=[f"{case[2]} {next(iter(case[1]))}" for case in BROKEN]
)
def test_what_is_wrong_is_found_with_its_cure(
    node: str, fields: dict[str, Any], check: str, level: Level, cure: str, meta: FakeMetaServer, tmp_path: Path
) -> None:
    meta.control.state.put("node", node, fields)

    findings = visited(live_settings(tmp_path, meta))

    assert bad(findings) == [(check, level)]
    [found] = [finding for finding in findings if finding.level is level]
    assert cure in found.cure


def test_a_webhook_that_leads_elsewhere_or_misses_messages_is_found(meta: FakeMetaServer, tmp_path: Path) -> None:
    webhook = {"object": "whatsapp_business_account", "callback_url": OTHER, "active": True}
    meta.control.state.put(APP_KIND, ACCOUNTS.app_id, {**webhook, "fields": [{"name": "flows"}]})
    meta.control.state.put("subscription", WABA, {"url": OTHER})

    findings = visited(live_settings(tmp_path, meta))

    assert bad(findings) == [("appWebhook", ERROR), ("fields", ERROR), ("override", ERROR)]


def test_an_app_without_a_webhook_and_an_account_without_an_app_are_found(
    meta: FakeMetaServer, tmp_path: Path
) -> None:
    meta.control.state.delete(APP_KIND, ACCOUNTS.app_id)
    meta.control.state.delete("subscription", WABA)

    assert bad(visited(live_settings(tmp_path, meta))) == [("appWebhook", ERROR), ("accountWebhook", ERROR)]


def test_the_address_that_the_app_has_counts_if_none_is_given(meta: FakeMetaServer, tmp_path: Path) -> None:
    settings, client = live_settings(tmp_path, meta), GraphClient(meta.url, "v25.0", TOKEN, lambda: NOW)
    visit = Visit(settings, client, lambda token: GraphClient(meta.url, "v25.0", token, lambda: NOW), NOW, None)

    assert bad(list(visit.findings())) == []
    assert visit.callback_url == CALLBACK


def test_another_apps_secret_is_found(meta: FakeMetaServer, tmp_path: Path) -> None:
    findings = visited(live_settings(tmp_path, meta, TEST_APP_SECRET="planted-secret-of-another-app"))

    assert bad(findings) == [("appSecret", ERROR)]
    assert "planted" not in str(findings)


def test_an_unknown_token_ends_the_visit_without_being_repeated(meta: FakeMetaServer, tmp_path: Path) -> None:
    findings = visited(live_settings(tmp_path, meta, TEST_ACCESS_TOKEN="EAAplanted-unknown-token"))

    assert bad(findings) == [("token", ERROR)]
    assert "planted" not in str(findings)


def test_ids_that_are_not_the_accounts_are_found(meta: FakeMetaServer, tmp_path: Path) -> None:
    config = with_graph(meta.url).replace(NUMBER, "1999999999999")
    settings = load_settings(
        Flags(config=write_config(tmp_path, config), live=True, yes_live=True),
        {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path)},
    )

    findings = visited(settings)

    assert bad(findings) == [("number", ERROR), ("number", ERROR)]
    assert NUMBER in findings[-2].cure


def test_a_version_that_does_not_live_any_more_is_found(meta: FakeMetaServer, tmp_path: Path) -> None:
    meta.control.meta.state.put("switches", "all", {"answered_version": "v26.0"})

    assert bad(visited(live_settings(tmp_path, meta))) == [("graphVersion", ERROR)]


def test_a_meta_that_is_not_reached_is_one_finding(meta: FakeMetaServer, tmp_path: Path) -> None:
    config = with_graph(f"http://127.0.0.1:{free_port()}")
    settings = load_settings(
        Flags(config=write_config(tmp_path, config), live=True, yes_live=True),
        {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path)},
    )

    assert bad(visited(settings)) == [("meta", ERROR)]


@pytest.mark.parametrize(
    ("version", "level"), [("v27.0", Level.OK), ("v25.0", Level.OK), ("v21.0", WARNING), ("v20.0", ERROR)]
)
def test_the_end_of_a_graph_version_is_known(version: str, level: Level) -> None:
    assert machine.graph_version(version, datetime(2026, 11, 27, tzinfo=UTC)).level is level


def test_a_sqlite_with_the_wal_reset_bug_is_reported() -> None:
    assert machine.sqlite_library((3, 40, 1)).level is WARNING
    assert machine.sqlite_library((3, 53, 4)).level is Level.OK


def test_a_missing_secret_is_an_error_for_live_only() -> None:
    missing = [ConfigProblem("secret_missing", "auth", "T is not set"), ConfigProblem("bad_url", "x", "no URL")]

    offline, live = (list(machine.problems(missing, needs_secrets=needed)) for needed in (False, True))

    assert ([one.level for one in offline], [one.level for one in live]) == ([ERROR, Level.OK], [ERROR, ERROR])
    assert offline[1].message == (
        "not checked in a dry run; live mode needs T;"
        " `flask wats onboarding` says where Meta shows each, and `flask wats setup` asks for them"
    )


def test_a_database_that_is_not_there_yet_is_no_fault(meta: FakeMetaServer, tmp_path: Path) -> None:
    findings = list(database(live_settings(tmp_path, meta)))

    assert bad(findings) == []
    assert "upgrade` creates it" in findings[-1].message
    assert not (tmp_path / "data").exists()


def test_a_database_of_another_program_is_reported_as_serve_refuses_it(meta: FakeMetaServer, tmp_path: Path) -> None:
    settings = live_settings(tmp_path, meta)
    file = path_in(settings.storage.url)
    assert file is not None
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE events (of_another_program INTEGER)")

    *_, found = database(settings)

    assert (found.level, found.message) == (ERROR, "the database has tables of another program")
    assert "name another database" in found.cure


def test_a_database_that_is_not_reached_is_reported_with_its_cure(tmp_path: Path) -> None:
    url = f"postgresql://planted:planted@127.0.0.1:{free_port()}/planted"
    config = write_config(tmp_path, f"{CONFIG}    storage: {{ url: {{ env: TEST_DATABASE }} }}\n")
    environ = {**LIVE_ENVIRONMENT, "WATS_DATA_DIR": str(tmp_path / "data"), "TEST_DATABASE": url}
    settings = load_settings(Flags(config=config, live=True, yes_live=True), environ)

    [found] = database(settings)

    assert (found.check, found.level) == ("database", ERROR)
    assert (found.message, found.cure) == (
        "nothing listens on the host and port of the database",
        "start the server, or correct the URL",
    )


def test_a_disk_without_room_is_an_error_and_one_that_fills_up_a_warning(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free // (1024 * 1024)

    assert disk(tmp_path / "no" / "such.sqlite3", 2 * free + 1).level is ERROR
    assert disk(tmp_path / "x", 0).level is (Level.OK if free >= COMFORTABLE_MEGABYTES else WARNING)


@pytest.fixture(scope="module")
def gateway(server: FakeMetaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A live gateway whose Meta is the fake."""
    folder = tmp_path_factory.mktemp("doctor")
    environ = environment(folder, WATS_CONFIG=str(write_config(folder, with_graph(server.url))))
    with serving(folder, "--live", "--yes-live", "--without-worker", environ=environ) as running:
        yield running


def doctor(running: Running, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run("doctor", *arguments, environ={**running.environ, **environ})


def subscribe(server: FakeMetaServer, callback_url: str) -> None:
    """Set the app's webhook at the fake as its dashboard would: with the handshake."""
    webhook = {"callback_url": callback_url, "verify_token": LIVE_ENVIRONMENT["TEST_VERIFY_TOKEN"]}
    body = {**webhook, "object": "whatsapp_business_account", "fields": ",".join(FIELDS)}
    url = f"{server.url}/v25.0/{ACCOUNTS.app_id}/subscriptions"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
        assert answer.status == 200


def test_the_command_performs_the_handshake_and_finds_nothing_wrong(
    meta: FakeMetaServer, gateway: Running, tmp_path: Path
) -> None:
    public_url = f"http://127.0.0.1:{gateway.port}"
    subscribe(meta, f"{public_url}/webhooks/whatsapp")
    told = with_graph(meta.url).replace("    service:\n", f'    service:\n      publicUrl: "{public_url}"\n')

    done = doctor(gateway, "--live", "--yes-live", "--json", WATS_CONFIG=str(write_config(tmp_path, told)))

    told = json.loads(done.stdout)
    wrong = [finding for finding in told["findings"] if finding["level"] != "ok"]
    assert (done.returncode, told["ok"], wrong) == (0, True, []), done.stdout
    assert {"runtime", "sqlite", "config", "routes", "disk", "database", "handshake"} <= {
        finding["check"] for finding in told["findings"]
    }
    assert [value for value in LIVE_ENVIRONMENT.values() if value in done.stdout + done.stderr] == []


def test_the_verify_token_goes_to_no_address_that_only_meta_names(meta: FakeMetaServer, gateway: Running) -> None:
    subscribe(meta, f"http://127.0.0.1:{gateway.port}/webhooks/whatsapp")

    done = doctor(gateway, "--live", "--yes-live", "--json")

    [shaken] = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "handshake"]
    assert (shaken["level"], shaken["message"]) == (
        "warning",
        "it is not performed: no https address of ours is given",
    )


def test_no_verify_token_is_shown_without_tls(tmp_path: Path, meta: FakeMetaServer) -> None:
    [shaken] = handshake_at("http://wats.example.com", live_settings(tmp_path, meta))

    assert (shaken.level, "is not https" in shaken.message) == (WARNING, True)


def test_without_the_second_yes_meta_is_not_called(meta: FakeMetaServer, gateway: Running) -> None:
    done = doctor(gateway, "--live")

    assert (done.returncode, "live needs two yeses" in done.stderr) == (78, True)
    assert meta.control.journal.entries() == []


@pytest.mark.parametrize(("more", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_is_asked_to_have_none(
    gateway: Running, more: dict[str, str], is_coloured: bool
) -> None:
    seen = on_a_terminal("doctor", environ={**gateway.environ, **more})

    assert "config" in seen
    assert ("\x1b[3" in seen) == is_coloured


def test_offline_no_secret_is_needed_and_meta_is_not_called(meta: FakeMetaServer, gateway: Running) -> None:
    done = doctor(gateway, TEST_ACCESS_TOKEN="", TEST_APP_SECRET="")

    assert done.returncode == 0, done.stdout
    assert (
        "secrets         not checked in a dry run; live mode needs TEST_ACCESS_TOKEN, TEST_APP_SECRET" in done.stdout
    )
    assert "\x1b" not in done.stdout
    assert meta.control.journal.entries() == []


def test_a_handshake_with_another_verify_token_or_none_at_all_is_found(
    meta: FakeMetaServer, gateway: Running, tmp_path: Path
) -> None:
    settings = live_settings(tmp_path, meta, TEST_VERIFY_TOKEN="planted-another-verify-token")
    url = f"http://127.0.0.1:{gateway.port}"

    refused = list(handshake(f"{url}/webhooks/whatsapp", settings))
    elsewhere = list(handshake(f"{url}/healthz", settings))
    nowhere = list(handshake(f"http://127.0.0.1:{free_port()}/", settings))

    assert bad([*refused, *elsewhere, *nowhere]) == [("handshake", ERROR)] * 3
    assert "TEST_VERIFY_TOKEN" in refused[0].message
    assert "instead of the challenge" in elsewhere[0].message
    assert "is not reached" in nowhere[0].message
    assert "planted" not in str([refused, elsewhere, nowhere])


def test_an_export_of_spans_that_cannot_work_is_reported_with_the_cure_beside_the_rest(gateway: Running) -> None:
    done = doctor(gateway, OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")

    assert done.returncode == 1
    assert "OTEL_EXPORTER_OTLP_PROTOCOL: wats exports spans by http/protobuf only, not by grpc" in done.stdout
    assert "→ set it to http/protobuf and OTEL_EXPORTER_OTLP_ENDPOINT to" in done.stdout
    assert "graphVersion" in done.stdout
