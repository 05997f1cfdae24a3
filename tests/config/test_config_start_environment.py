"""What other packages do with the settings: the banner, the handover, the access to a running service."""

import io
import json
import os
import shlex
from pathlib import Path

import pytest

from app.config import ConfigError, ConfigProblem, Flags, webhook_signing
from app.config.api_access import api_access
from app.domain.meta.signature import signature_of
from app.startup.banner import print_banner, print_warnings, start_details
from app.startup.handover import hand_over, handed_over, inherited
from tests.config.starts import DRY_RUN, LIVE, SECRETS, config_in, start
from tests.support.live import write_config


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_dry_run_prints_one_json_line_with_a_signed_sample(tmp_path: Path):
    out = io.StringIO()

    print_banner(start(tmp_path, DRY_RUN, host="::", port=81), out)

    shown = json.loads(out.getvalue())
    assert (shown["mode"], shown["address"], shown["database"]) == ("dry-run", "http://[::]:81", "sqlite")
    assert shown["webhookUrl"] == "http://[::]:81/webhooks/whatsapp"
    assert shown["try"].startswith("curl -sS http://[::1]:81/webhooks/whatsapp ")


def test_the_sample_is_signed_with_the_dry_runs_app_secret(tmp_path: Path):
    out = Terminal()

    settings = start(tmp_path, DRY_RUN)
    print_banner(settings, out)

    sample = shlex.split(out.getvalue().partition("curl ")[2])[-1]
    assert signature_of(sample.encode(), "dry-run-app-secret") in out.getvalue()
    assert "wats is listening" in out.getvalue()


def test_the_sample_is_for_this_gateways_number_and_new_at_each_start(tmp_path: Path):
    settings = start(tmp_path, DRY_RUN)

    first, second = (shlex.split(start_details(settings)["try"])[-1] for _ in range(2))

    [entry] = json.loads(first)["entry"]
    metadata = entry["changes"][0]["value"]["metadata"]
    assert entry["id"] == settings.whatsapp.waba_id
    assert metadata["phone_number_id"] in settings.whatsapp.phone_number_ids
    assert first != second


def test_the_banner_of_a_dry_run_names_its_token_the_docs_and_the_next_command(tmp_path: Path):
    out = Terminal()

    print_banner(start(tmp_path, DRY_RUN), out)

    for told in ("dry-run-service-token", "http://127.0.0.1:3000/docs", "flask wats webhook send message.text"):
        assert told in out.getvalue()


@pytest.mark.parametrize(
    ("environ", "missing"), [({"TEST_APP_SECRET": "app-secret-5d1f"}, []), ({}, ["TEST_APP_SECRET"])]
)
def test_posting_a_webhook_needs_the_app_secret_only(tmp_path: Path, environ: dict[str, str], missing: list[str]):
    flags = Flags(config=write_config(tmp_path), live=True, yes_live=True)
    problems: tuple[ConfigProblem, ...] = ()

    try:
        assert webhook_signing(flags, environ).app_secret.current == "app-secret-5d1f"
    except ConfigError as error:
        problems = error.problems

    assert [problem.message.partition(" ")[0] for problem in problems] == missing


def test_a_live_start_prints_no_secret(tmp_path: Path):
    out, talk = Terminal(), io.StringIO()
    settings = start(tmp_path, {**LIVE, **SECRETS})

    print_banner(settings, out)
    print_warnings(settings, talk)

    assert "planted" not in out.getvalue() + talk.getvalue()
    assert "try" not in out.getvalue()


def test_generated_secrets_are_printed_once_with_their_variables(tmp_path: Path):
    talk = io.StringIO()
    settings = start(tmp_path, DRY_RUN, host="0.0.0.0")

    print_warnings(settings, talk)

    for variable, value in settings.generated_secrets:
        assert talk.getvalue().count(f"generated for this run: {variable}={value}\n") == 1


def test_a_masters_settings_are_available_to_its_workers(tmp_path: Path):
    settings = start(tmp_path, DRY_RUN)
    before = handed_over()

    hand_over(settings)

    assert before is None
    assert handed_over() is settings


def test_a_forked_process_inherits_the_settings_until_it_hands_over_its_own(tmp_path: Path):
    hand_over(start(tmp_path, DRY_RUN))
    before = inherited()

    child = os.fork()
    if child == 0:
        inherits = inherited() == handed_over()
        hand_over(start(tmp_path, DRY_RUN))  # as at a reload
        os._exit(int(not inherits or inherited() is not None))

    assert before is None
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture(autouse=True)
def nothing_handed_over():
    from app.startup import handover

    yield
    handover._handed_over.clear()


ACCESS = [
    ({}, "http://127.0.0.1:3000/api", ""),
    ({"SERVICE_TOKEN": "real", "WATS_HOST": "0.0.0.0"}, "http://127.0.0.1:3000/api", "real"),
    ({"SERVICE_TOKEN": "real", "WATS_HOST": "::"}, "http://[::1]:3000/api", "real"),
    ({"SERVICE_TOKEN": "real", "WATS_URL": "https://wats.example.com/"}, "https://wats.example.com/api", "real"),
]


@pytest.mark.parametrize(("environ", "url", "token"), ACCESS)
def test_the_access_to_a_running_service(environ: dict[str, str], url: str, token: str, tmp_path: Path):
    access = api_access(Flags(config=config_in(tmp_path)), environ=environ)

    assert (access.api_url, access.token.value) == (url, token)
    assert "real" not in repr(access)


@pytest.mark.parametrize(
    ("environ", "token"), [({}, "dry-run-service-token"), ({"WATS_DRY_RUN_SERVICE_TOKEN": "mine"}, "mine")]
)
def test_a_dry_run_has_a_token_of_its_own(environ: dict[str, str], token: str, tmp_path: Path):
    access = api_access(Flags(config=config_in(tmp_path)), environ={**environ, "SERVICE_TOKEN": "real"})

    assert access.dry_run_token is not None
    assert access.dry_run_token.value == token
    assert access.token.value == "real"


def test_a_token_of_the_command_line_is_for_the_service_whatever_it_is(tmp_path: Path):
    access = api_access(Flags(config=config_in(tmp_path), token="given"), environ={"SERVICE_TOKEN": "real"})

    assert (access.token.value, access.dry_run_token) == ("given", None)


def test_without_a_config_a_given_url_is_reached_with_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    access = api_access(Flags(url="https://wats.example.com"), environ={"WATS_SERVICE_TOKEN": "real"})

    assert (access.api_url, access.token.value) == ("https://wats.example.com/api", "real")


@pytest.mark.parametrize(
    ("flags", "environ"), [({}, {}), ({"config": Path("missing.yaml")}, {"WATS_URL": "http://h"})]
)
def test_a_config_that_is_needed_and_missing_is_named(
    flags: dict[str, Path], environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="file_missing"):
        api_access(Flags(**flags), environ=environ)


def test_a_command_that_posts_as_meta_does_needs_no_token_of_the_service(tmp_path: Path):
    flags, live = Flags(config=config_in(tmp_path)), {"WATS_MODE": "live"}

    access = api_access(flags, environ=live, heeds_mode=False)

    assert (access.token.value, access.dry_run_token is not None) == ("", True)
    with pytest.raises(ConfigError, match="SERVICE_TOKEN"):
        api_access(flags, environ=live)


def test_a_token_that_no_header_can_hold_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="visible ASCII") as refused:
        api_access(Flags(config=config_in(tmp_path), token="planted\n"), environ={})

    assert "planted" not in str(refused.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"WATS_MODE": "live"},
        {"SERVICE_TOKEN_FILE": "/missing"},
        {"WATS_PROFILE": "x"},
        {"WATS_PAAS": "1"},
        {"WATS_PORT": "80a"},
    ],
)
def test_without_a_token_or_a_profile_there_is_no_access(environ: dict[str, str], tmp_path: Path):
    with pytest.raises(ConfigError):
        api_access(Flags(config=config_in(tmp_path)), environ=environ)


@pytest.mark.parametrize(
    "url", ["http://u:planted@127.0.0.1", "http://h/?key=planted", "http://h/#planted", "ftp://planted", "planted"]
)
def test_a_service_url_that_could_contain_a_secret_is_refused(url: str, tmp_path: Path):
    with pytest.raises(ConfigError) as by_flag:
        api_access(Flags(config=config_in(tmp_path), url=url), environ={})
    with pytest.raises(ConfigError) as by_variable:
        api_access(Flags(config=config_in(tmp_path)), environ={"WATS_URL": url})

    assert [problem.path for problem in by_flag.value.problems] == ["--url"]
    assert [problem.path for problem in by_variable.value.problems] == ["WATS_URL"]
    assert "planted" not in str(by_flag.value) + str(by_variable.value)
