"""`flask wats db …`: where the schema stands, told by words and by the exit code."""

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

    told = json.loads(after.stdout)
    assert (before.returncode, before.stdout) == (1, f"schema none, head {told['head']}\n")
    assert before.stderr == "the schema does not fit this code; run `flask wats db upgrade`\n"
    assert (upgraded.returncode, upgraded.stdout) == (0, f"schema {told['head']}, head {told['head']}\n")
    assert (after.returncode, told["schema"], told["compatible"]) == (0, told["head"], True)


def test_a_schema_of_newer_code_asks_for_newer_code(tmp_path: Path) -> None:
    db(tmp_path, "upgrade")
    with closing(driver().connect(tmp_path / "data" / "wats.sqlite3")) as file:
        file.execute("UPDATE schema_version SET version_num = '9999'")
        file.execute("UPDATE schema_compatibility SET oldest_code = '9999'")
        file.commit()

    for ended in (db(tmp_path, "status"), db(tmp_path, "upgrade")):
        assert (ended.returncode, ended.stderr) == (1, "the schema is newer than this code can use; run newer code\n")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wats.sqlite3").write_bytes(b"no database" * 500)

    ended = db(tmp_path, "upgrade")

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert "WATS_DATA_DIR" in ended.stderr
    assert str(tmp_path) not in ended.stderr
