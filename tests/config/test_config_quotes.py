"""Secrets that an env file left in quotes, or without a value, are named before anyone searches for the reason."""

from pathlib import Path

import pytest

from app.config import ConfigError
from tests.config.starts import DRY_RUN, LIVE, SECRETS, start

QUOTED = "is in quotes"
LONG = "planted-value-of-some-length"


def warnings_of(folder: Path, environ: dict[str, str]) -> list[str]:
    return [warning for warning in start(folder, environ).warnings if "planted" not in warning]


def problems_of(folder: Path, environ: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as refused:
        start(folder, environ)
    assert "planted" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", ["APP_SECRET", "OLD_APP_SECRET", "SERVICE_TOKEN", "READER_TOKEN", "CRM_HEADER"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_secret_in_quotes_is_named_in_a_warning(tmp_path: Path, name: str, quote: str) -> None:
    environ = {**LIVE, **SECRETS, name: f"{quote}{LONG}{quote}"}

    [warning] = [warning for warning in warnings_of(tmp_path, environ) if QUOTED in warning]

    assert warning.startswith(f"{name} ")


def test_a_quotation_mark_inside_or_at_one_end_is_no_quote(tmp_path: Path) -> None:
    environ = {**LIVE, **SECRETS, "APP_SECRET": f'"{LONG}', "SERVICE_TOKEN": f"{LONG}'", "READER_TOKEN": f"a'{LONG}"}

    assert [warning for warning in warnings_of(tmp_path, environ) if QUOTED in warning] == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "WABA_ID"])
def test_what_cannot_be_used_because_of_its_quotes_is_refused_for_them(tmp_path: Path, name: str) -> None:
    assert f"{name} {QUOTED}" in problems_of(tmp_path, {**LIVE, **SECRETS, name: f'"{SECRETS[name]}"'})


def test_a_dry_runs_secret_in_quotes_is_named_too(tmp_path: Path) -> None:
    environ = {**DRY_RUN, "WATS_DRY_RUN_APP_SECRET": f'"{LONG}"', "CRM_SECRET": f"'{LONG}'"}

    warned = "\n".join(warnings_of(tmp_path, environ))

    assert f"WATS_DRY_RUN_APP_SECRET {QUOTED}" in warned
    assert f"CRM_SECRET {QUOTED}" in warned


@pytest.mark.parametrize("quotes", ['""', "''"])
def test_a_secret_that_is_nothing_but_quotes_is_refused(tmp_path: Path, quotes: str) -> None:
    assert "APP_SECRET holds nothing but quotes" in problems_of(tmp_path, {**LIVE, **SECRETS, "APP_SECRET": quotes})


def test_a_live_secret_that_is_set_but_empty_is_called_empty(tmp_path: Path) -> None:
    assert "APP_SECRET is set but empty" in problems_of(tmp_path, {**LIVE, **SECRETS, "APP_SECRET": ""})


@pytest.mark.parametrize("name", ["WABA_ID", "FIRST_NUMBER"])
def test_an_id_of_zeros_is_no_id_in_live_mode(tmp_path: Path, name: str) -> None:
    assert f"{name} is a placeholder of zeros" in problems_of(tmp_path, {**LIVE, **SECRETS, name: "000"})


def test_a_dry_runs_secret_that_is_set_but_empty_is_named_in_a_warning(tmp_path: Path) -> None:
    warned = warnings_of(tmp_path, {**DRY_RUN, "WATS_DRY_RUN_SERVICE_TOKEN": ""})

    assert "WATS_DRY_RUN_SERVICE_TOKEN is set but empty, and counts as unset" in warned


def test_the_quotes_of_our_own_env_file_are_no_part_of_a_value(tmp_path: Path) -> None:
    file = tmp_path / "live.env"
    file.write_text(f'APP_SECRET="{LONG}"\n')
    others = {name: value for name, value in SECRETS.items() if name != "APP_SECRET"}

    settings = start(tmp_path, {**LIVE, **others, "WATS_ENV_FILE": str(file)})

    assert settings.webhook.app_secret.current == LONG
    assert [warning for warning in settings.warnings if QUOTED in warning] == []
