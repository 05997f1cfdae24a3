"""A database says whose it is: a gateway of another mode or account is refused, by whatever name it calls it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.live import CONFIG, write_config
from tests.support.postgres import PostgresServer
from tests.support.serving import environment, free_port, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import bearer

pytestmark = pytest.mark.usefixtures("unmeasured")

LIVE = ("--live", "--yes-live")
OTHER_ACCOUNT = CONFIG.replace("1234567890", "200")
OTHER_PROFILE = CONFIG.replace("test", "staging")
POSTGRES = CONFIG + "    storage: { url: { env: TEST_DATABASE_URL } }\n"


def upgrade(config: str, environ: Mapping[str, str]) -> None:
    """Make the database a live one. On a busy machine the database may answer too late: then again."""
    wait_for(lambda: run("db", "upgrade", "--config", config, *LIVE, environ=environ).returncode == 0)


def test_a_dry_run_refuses_the_live_database_behind_a_hard_link(tmp_path: Path) -> None:
    config, environ = str(write_config(tmp_path)), environment(tmp_path, WATS_PORT=str(free_port()))
    upgrade(config, environ)
    live = tmp_path / "data" / "wats.sqlite3"
    before = live.read_bytes()
    os.link(live, tmp_path / "data" / "dry-run.sqlite3")

    ended = run("serve", "--config", config, "--dry-run", environ=environ)

    assert (ended.returncode, ended.stderr.count("Traceback")) == (78, 0), ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("WATS_DATA_DIR: the database belongs to another mode; ")
    assert ended.stderr.splitlines()[-1].endswith("[live_database]")
    assert live.read_bytes() == before


def test_a_dry_run_refuses_the_live_database_by_every_name(tmp_path: Path, postgres_server: PostgresServer) -> None:
    config, url = str(write_config(tmp_path, POSTGRES)), postgres_server.empty_database()
    environ = environment(tmp_path, TEST_DATABASE_URL=url)
    upgrade(config, environ)
    names = [url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "somewhere") + "?hostaddr=127.0.0.1"]

    ended = [
        run("db", "upgrade", "--config", config, "--dry-run", environ={**environ, "WATS_DRY_RUN_DATABASE_URL": name})
        for name in names
    ]

    assert [each.returncode for each in ended] == [78, 78], ended
    assert all("WATS_DRY_RUN_DATABASE_URL: the database belongs to another mode" in each.stderr for each in ended)


def test_another_account_on_the_data_folder_is_refused_until_it_is_handed_over(tmp_path: Path) -> None:
    environ = environment(tmp_path, WATS_PORT=str(free_port()))
    upgrade(str(write_config(tmp_path)), environ)
    config = str(write_config(tmp_path, OTHER_ACCOUNT))

    refused = run("serve", "--config", config, *LIVE, environ=environ)
    adopted = run("db", "upgrade", "--adopt", "--config", config, *LIVE, environ=environ)
    accepted = run("db", "status", "--config", config, *LIVE, environ=environ)

    assert (refused.returncode, refused.stderr.count("\n")) == (78, 1), refused.stderr
    assert "it has served the account 1234567890" in refused.stderr
    assert (adopted.returncode, accepted.returncode) == (0, 0), adopted.stderr + accepted.stderr


def test_a_second_service_and_a_second_profile_on_the_data_folder_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    with serving(tmp_path) as running:
        wait_for(lambda: running.json("/status", bearer())["workers"])
        config = str(write_config(folder, OTHER_PROFILE))
        environ = {**running.environ, "WATS_PORT": str(free_port())}
        with serving(folder, "--config", config, *LIVE, environ=environ) as second:
            wait_for(lambda: all("worker.not_alone" in service.err for service in (running, second)))

    assert "of another service is alive on this database (see WATS_DATA_DIR)" in second.err
    assert "the profile test has used this database, and now staging does" in second.err
