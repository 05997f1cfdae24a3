"""A start: what flags, environment and profile come to, and what its children are handed."""

from pathlib import Path

import pytest

from app.config import (
    ConfigError,
    Flags,
    Settings,
    child_environment,
    dry_run_settings,
    explain_settings,
    load_settings,
)
from tests.config.starts import DRY_RUN, LIVE, SECRETS, config_in, refusals, start

STARTS = {
    "dry-run on loopback": (DRY_RUN, {}),
    "dry-run on every address": (DRY_RUN, {"host": "0.0.0.0", "port": 8080, "push": True}),
    "dry-run with secrets of its own": (
        {**DRY_RUN, "WATS_HOST": "10.0.0.7", "WATS_DRY_RUN_APP_SECRET": "mine", "READER_TOKEN": "given-reader"},
        {"workers": 3},
    ),
    "dry-run in PaaS mode": ({**DRY_RUN, "PORT": "5000", "WATS_PORT": "tcp://10.0.0.1:3000"}, {"paas": True}),
    "dry-run beside live secrets": ({**DRY_RUN, **SECRETS}, {}),
    "live": ({**LIVE, **SECRETS}, {"threads": 3}),
    "live by flags": ({**SECRETS, "WATS_GRACE_SECONDS": "8"}, {"live": True, "yes_live": True}),
    "live in PaaS mode": ({**LIVE, **SECRETS, "PORT": "5000", "WATS_PAAS": "1"}, {"env_file": Path("missing.env")}),
}


@pytest.mark.parametrize("name", STARTS)
def test_a_child_loads_the_very_settings_of_its_parent(name: str, tmp_path: Path):
    environ, flags = STARTS[name]
    settings = start(tmp_path, environ, **flags)

    child = load_settings(Flags(), child_environment(settings, environ))

    assert child == settings
    assert child.generated_secrets == ()


def test_a_child_of_a_live_start_reads_the_same_env_file(tmp_path: Path):
    file = tmp_path / "live.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    settings = start(tmp_path, LIVE, env_file=file)

    assert load_settings(Flags(), child_environment(settings, {})) == settings


def test_live_mode_reads_every_secret_and_its_previous_value(tmp_path: Path):
    settings = start(tmp_path, {**LIVE, **SECRETS})

    assert settings.webhook.app_secret.active == ("planted-app-secret-1", "planted-app-secret-0")
    assert settings.whatsapp.phone_number_ids == ("5550001111", "9876543210")
    assert settings.storage.url == "postgresql+psycopg://u:planted@db/wats"
    assert settings.storage.kind == "postgresql"
    assert set(SECRETS.values()) - {"1234567890", "5550001111", SECRETS["DATABASE_URL"]} <= set(
        settings.secret_values
    )
    assert "planted" not in repr(settings).replace("planted-query", "")


def test_all_missing_secrets_are_reported_with_the_other_problems(tmp_path: Path):
    found = refusals(tmp_path, {"WATS_MODE": "live", "WATS_THREADS": "x"}, host="a b")

    assert len([code for code in found.values() if code == "secret_missing"]) == len(SECRETS)
    assert found["WATS_THREADS"] == "bad_variable"
    assert found["--yes-live"] == "yes_live_missing"
    assert found["--host"] == "bad_form"


@pytest.mark.parametrize("environ", [{"WABA_ID": "12a"}, {"DATABASE_URL": "mysql://h/d"}, {"CRM_SECRET": "whsec_x"}])
def test_a_wrong_value_is_refused_without_being_shown(environ: dict[str, str], tmp_path: Path):
    (path,) = refusals(tmp_path, {**LIVE, **SECRETS, **environ})

    assert path.startswith("profiles.main.")


@pytest.mark.parametrize("port", ["", "080", "x"])
def test_a_platforms_port_is_needed_in_paas_mode_only(port: str, tmp_path: Path):
    assert refusals(tmp_path, {**DRY_RUN, "PORT": port}) == {}
    assert refusals(tmp_path, {**DRY_RUN, "PORT": port}, paas=True) == {"PORT": "bad_port"}
    assert refusals(tmp_path, {**DRY_RUN, "PORT": port}, paas=True, port=80) == {}


@pytest.mark.parametrize("port", ["", "080", "x", "5000"])
def test_a_command_that_opens_no_port_needs_none_from_the_platform(port: str, tmp_path: Path):
    assert refusals(tmp_path, {**DRY_RUN, "PORT": port, "WATS_PAAS": "1"}, listens=False) == {}


def test_a_missing_env_file_is_a_problem_but_not_in_paas_mode(tmp_path: Path):
    environ = {**LIVE, **SECRETS, "PORT": "80"}

    assert refusals(tmp_path, environ, env_file=tmp_path / "none") == {"--env-file": "file_missing"}
    assert refusals(tmp_path, environ, env_file=tmp_path / "none", paas=True) == {}


def test_the_default_file_in_paas_mode_is_a_warning(tmp_path: Path):
    config = config_in(tmp_path)
    config.write_text(config.read_text().replace("storage: { url: { env: DATABASE_URL } }", "storage: {}"))
    environ = {**LIVE, **SECRETS, "PORT": "80", "WATS_DATA_DIR": str(tmp_path)}

    warnings = load_settings(Flags(config=config, paas=True), environ).warnings

    assert any("throw away" in warning for warning in warnings)


def test_inspecting_routes_needs_no_mode_and_reads_no_secret(tmp_path: Path):
    settings = dry_run_settings(Flags(config=config_in(tmp_path)), {"WATS_PAAS": "1", "WATS_THREADS": "x"})

    assert isinstance(settings, Settings)


@pytest.mark.parametrize(("named", "code"), [("other", "unknown_profile"), ("main", None)])
def test_a_profile_is_named_by_flag_or_variable(named: str, code: str | None, tmp_path: Path):
    expected = {"--profile": code} if code else {}

    assert refusals(tmp_path, DRY_RUN, profile=named) == expected
    assert refusals(tmp_path, {**DRY_RUN, "WATS_PROFILE": named}) == expected


def test_a_missing_config_is_a_problem_at_its_own_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError) as caught:
        load_settings(Flags(dry_run=True), {})

    assert [problem.path for problem in caught.value.problems] == [str(tmp_path / "wats.config.yaml")]


@pytest.mark.parametrize(
    "environ", [{**LIVE, **SECRETS}, {**DRY_RUN, **SECRETS}, {**DRY_RUN, "WATS_HOST": "0.0.0.0"}]
)
def test_explained_settings_show_sources_and_no_secret(environ: dict[str, str], tmp_path: Path):
    rows = explain_settings(Flags(config=config_in(tmp_path), port=81), {**environ, "WATS_DATA_DIR": str(tmp_path)})

    shown = {row.path: (row.value, row.source) for row in rows}
    assert shown["listen.port"] == ("81", "flag --port")
    assert shown["mode"] == (environ["WATS_MODE"], "environment WATS_MODE")
    assert shown["profiles.main.service.port"] == ("3000", "default")
    assert shown["push"] == ("false", "default")
    assert shown["envFile"] == ("none", "default")
    assert shown["profiles.main.webhook.appSecret"][0] == "set"
    assert shown["profiles.main.auth.accessToken"][0] == ("set" if environ["WATS_MODE"] == "live" else "unset")
    assert "planted" not in str(rows)


def test_a_small_limit_for_webhooks_is_a_warning(tmp_path: Path):
    config = config_in(tmp_path)
    config.write_text(config.read_text().replace("webhook:", "webhook:\n      maxBodyBytes: 1048576"))

    warnings = load_settings(Flags(config=config, dry_run=True), {}).warnings

    assert any("under 3 MB" in warning for warning in warnings)


def test_a_destination_that_meta_has_no_form_for_is_a_warning(tmp_path: Path):
    config = config_in(tmp_path)
    bot = '- { name: bot, url: "http://127.0.0.1:9", secret: { env: S }, format: meta, types: ["*", "outbound.*"] }'
    config.write_text(config.read_text().replace("destinations:", f"destinations:\n      {bot}"))

    warnings = load_settings(Flags(config=config, dry_run=True), {}).warnings

    assert any("bot gets no outbound.* or operator.* events" in warning for warning in warnings)


@pytest.mark.parametrize(("grace", "drain", "refused"), [("25", "20", False), ("25", "21", True), ("3", "0", False)])
def test_a_drain_leaves_time_for_the_requests_in_flight(grace: str, drain: str, refused: bool, tmp_path: Path):
    environ = {**DRY_RUN, "WATS_GRACE_SECONDS": grace, "WATS_DRAIN_SECONDS": drain}

    assert refusals(tmp_path, environ) == ({"WATS_DRAIN_SECONDS": "bad_variable"} if refused else {})


OTLP = {**DRY_RUN, "OTEL_TRACES_EXPORTER": "otlp"}
GENERAL, OF_SPANS = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({GENERAL: "grpc"}, GENERAL),
        ({GENERAL: "http/json", OF_SPANS: " "}, GENERAL),
        ({GENERAL: "http/protobuf", OF_SPANS: "grpc"}, OF_SPANS),
    ],
)
def test_a_protocol_in_which_every_span_would_be_lost_is_refused_with_the_cure(
    environ: dict[str, str], variable: str, tmp_path: Path
):
    with pytest.raises(ConfigError) as refused:
        start(tmp_path, {**OTLP, **environ})

    [problem] = refused.value.problems
    assert (problem.code, problem.path) == ("not_supported", variable)
    assert "set it to http/protobuf and OTEL_EXPORTER_OTLP_ENDPOINT to" in problem.message


@pytest.mark.parametrize(
    "environ",
    [
        {**OTLP, GENERAL: "grpc", OF_SPANS: "http/protobuf"},
        {**OTLP, GENERAL: "grpc", "OTEL_SDK_DISABLED": "true"},
        {**DRY_RUN, GENERAL: "grpc"},
    ],
)
def test_a_protocol_that_does_not_count_keeps_nothing_from_starting(environ: dict[str, str], tmp_path: Path):
    settings = start(tmp_path, environ)

    assert load_settings(Flags(), child_environment(settings, environ)) == settings
