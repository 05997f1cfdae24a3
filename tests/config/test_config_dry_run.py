"""Dry-run: stand-ins for every secret, and hands off the live data."""

from pathlib import Path

import pytest

from app.config import Flags, Mode, Secret, load_settings
from tests.config.starts import CONFIG, DRY_RUN, SECRETS, config_in, refusals, start


def test_a_dry_run_that_only_this_machine_reaches_has_known_placeholders(tmp_path: Path):
    settings = start(tmp_path, DRY_RUN)

    assert settings.mode is Mode.DRY_RUN
    assert settings.access_token is None
    assert settings.webhook.app_secret.active == ("dry-run-app-secret",)
    assert [each.token.current for each in settings.service.tokens] == [
        "dry-run-service-token",
        "dry-run-reader-token",
        "dry-run-sender-token",
    ]
    assert settings.generated_secrets == ()
    assert settings.storage.url == f"sqlite:///{tmp_path}/data/dry-run.sqlite3"


def test_a_dry_run_that_other_machines_can_reach_generates_its_secrets(tmp_path: Path):
    first, second = (start(tmp_path, DRY_RUN, host="0.0.0.0") for _ in range(2))

    variables = [variable for variable, _ in first.generated_secrets]
    assert sorted(variables) == [
        *("READER_TOKEN", "SENDER_TOKEN"),
        *("WATS_DRY_RUN_APP_SECRET", "WATS_DRY_RUN_SERVICE_TOKEN", "WATS_DRY_RUN_VERIFY_TOKEN"),
    ]
    assert not {value for _, value in first.generated_secrets} & {value for _, value in second.generated_secrets}
    assert all(value not in repr(first) for _, value in first.generated_secrets)


def test_a_dry_run_uses_a_destinations_secrets_if_they_are_set(tmp_path: Path):
    crm, here = start(tmp_path, {**DRY_RUN, "CRM_SECRET": "given", "CRM_HEADER": "Bearer x"}).destinations

    assert crm.secret == Secret("CRM_SECRET", "given")
    assert [(header.name, header.value) for header in crm.headers] == [
        ("Authorization", "Bearer x"),
        ("X-Kind", "plain"),
    ]
    assert here.secret == Secret("HERE_SECRET", "whsec_ZHJ5LXJ1bi1oZXJlLXNlY3JldC0tLS0t")


def test_a_dry_run_warns_of_unused_secrets_and_of_pushes_it_does_not_make(tmp_path: Path):
    warnings = "\n".join(start(tmp_path, {**DRY_RUN, **SECRETS}).warnings)

    assert "does not use ACCESS_TOKEN, VERIFY_TOKEN, APP_SECRET, SERVICE_TOKEN, DATABASE_URL" in warnings
    assert "does not push to crm beyond loopback" in warnings
    assert "planted" not in warnings


def test_a_dry_run_uses_placeholder_ids_where_none_are_set(tmp_path: Path):
    settings = start(tmp_path, {**DRY_RUN, "FIRST_NUMBER": "not-an-id"})

    assert settings.whatsapp.waba_id == "1000000000000001"
    assert settings.whatsapp.phone_number_ids == ("1000000000000001", "9876543210")


def test_a_profile_may_have_several_accounts(tmp_path: Path):
    config = CONFIG.replace("phoneNumberIds:", 'wabaIds: ["1234567890", { env: OTHER_WABA_ID }], phoneNumberIds:')

    environ = {**DRY_RUN, "WABA_ID": "1234567890", "OTHER_WABA_ID": "1234567891", "WATS_DATA_DIR": str(tmp_path)}
    settings = load_settings(Flags(config=config_in(tmp_path, config)), environ)

    assert settings.whatsapp.waba_ids == ("1234567890", "1234567891")
    assert settings.whatsapp.ours.waba_ids == {"1234567890", "1234567891"}


DRY = "WATS_DRY_RUN_DATABASE_URL"
DATABASES = [
    ({DRY: "postgres://other@db:5432/wats", "DATABASE_URL": "postgresql://u:p@DB/wats"}, {DRY: "live_database"}),
    ({DRY: "postgres://u:p@db/other", "DATABASE_URL": "postgres://u:p@db/wats"}, {}),
    ({DRY: "postgres://u:p@db/wats"}, {}),
    ({DRY: "postgres://u:p@db/wats", "DATABASE_URL_FILE": "/missing"}, {}),
    ({DRY: "mysql://u:p@db/wats"}, {DRY: "unsupported_database"}),
]


@pytest.mark.parametrize(("environ", "refused"), DATABASES)
def test_a_dry_run_never_opens_the_live_database(environ: dict[str, str], refused: dict[str, str], tmp_path: Path):
    assert refusals(tmp_path, {**DRY_RUN, **environ}) == refused


def test_a_dry_runs_own_file_may_not_be_the_live_one(tmp_path: Path):
    live = {"DATABASE_URL": f"sqlite:///{tmp_path}/data/dry-run.sqlite3"}

    assert refusals(tmp_path, {**DRY_RUN, **live}) == {DRY: "live_database"}
