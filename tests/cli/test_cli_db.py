"""`flask wats db …`: the version of the schema, printed and as an exit code."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

from app.store.engine.sqlite import driver
from tests.support.live import write_config
from tests.support.serving import environment, run


def db(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(
        "db", *arguments, "--live", "--yes-live", "--config", str(write_config(folder)), environ=environment(folder)
    )


def test_a_new_database_is_brought_to_head(tmp_path: Path) -> None:
    before, upgraded, after = db(tmp_path, "status"), db(tmp_path, "upgrade"), db(tmp_path, "status", "--json")

    status = json.loads(after.stdout)
    assert (before.returncode, before.stdout) == (1, f"schema none, head {status['head']}\n")
    assert before.stderr == f"error: the schema is not at {status['head']}; run `flask wats db upgrade`\n"
    assert (upgraded.returncode, upgraded.stdout) == (0, f"schema {status['head']}, head {status['head']}\n")
    assert (after.returncode, status["schema"], status["compatible"]) == (0, status["head"], True)


def test_each_mode_has_its_file_in_a_folder_whose_name_means_something_in_a_url(tmp_path: Path) -> None:
    folder = tmp_path / "what?100%25"
    environ = environment(tmp_path, WATS_DATA_DIR=str(folder))
    config = str(write_config(tmp_path))

    live = run("db", "upgrade", "--live", "--yes-live", "--config", config, environ=environ)
    dry_run = run("db", "upgrade", "--dry-run", "--config", config, environ=environ)

    assert (live.returncode, dry_run.returncode) == (0, 0), live.stderr + dry_run.stderr
    assert sorted(path.name for path in folder.glob("*.sqlite3")) == ["dry-run.sqlite3", "wats.sqlite3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wats.config.yaml", folder.name]


def test_a_schema_of_newer_code_is_refused(tmp_path: Path) -> None:
    db(tmp_path, "upgrade")
    with closing(driver().connect(tmp_path / "data" / "wats.sqlite3")) as file:
        file.execute("UPDATE schema_version SET version_num = '9999'")
        file.execute("UPDATE schema_compatibility SET oldest_code = '9999'")
        file.commit()

    for ended in (db(tmp_path, "status"), db(tmp_path, "upgrade")):
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
        assert ended.stderr.startswith("error: the schema 9999 is newer than this code can use")


def test_a_file_that_is_not_a_database_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wats.sqlite3").write_bytes(b"no database" * 500)

    ended = db(tmp_path, "upgrade")

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert "WATS_DATA_DIR" in ended.stderr
    assert str(tmp_path) not in ended.stderr
