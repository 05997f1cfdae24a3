"""`flask wats db …`: the version of the schema, printed and as an exit code."""

import json
import subprocess
from contextlib import closing
from pathlib import Path

from app.store import Store
from app.store.engine.sqlite import driver
from tests.support.events import new_event, put_events
from tests.support.live import write_config
from tests.support.serving import environment, run, serving

SERVE_ALONE = ("--live", "--yes-live", "--without-worker")


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
    assert ended.stderr.startswith("error: the store is unavailable: ")
    assert "WATS_DATA_DIR" in ended.stderr
    assert str(tmp_path) not in ended.stderr


def write_as_older_code(folder: Path) -> Path:
    """Put in an event without its further name, and leave content in free pages. Return the file."""
    db(folder, "upgrade")
    file = folder / "data" / "wats.sqlite3"
    store = Store(f"sqlite:///{file}", min_free_bytes=0, cooperative=False)
    store.open()
    put_events(store, new_event(wa_id="5531988880001", contacts=[{"wa_id": "553188880001"}]))
    store.close()
    with closing(driver().connect(file)) as connection:
        connection.executescript(
            "PRAGMA secure_delete = OFF; CREATE TABLE gone (text);"
            " INSERT INTO gone VALUES (replace(hex(zeroblob(50000)), '00', 'confidential ')); DROP TABLE gone"
        )
    assert confidential(file) > 1000
    return file


def confidential(file: Path) -> int:
    return sum(
        part.read_bytes().count(b"confidential") for part in file.parent.glob("wats.sqlite3*") if part.is_file()
    )


def test_beside_a_running_gateway_a_file_gets_smaller_and_what_older_code_left_is_put_right(tmp_path: Path) -> None:
    file = write_as_older_code(tmp_path)
    size, inode = file.stat().st_size, file.stat().st_ino

    with serving(tmp_path, *SERVE_ALONE, "--config", str(write_config(tmp_path))) as running:
        rewritten = db(tmp_path, "rewrite")
        left, new_size = confidential(file), file.stat().st_size
        done, again = db(tmp_path, "catch-up"), db(tmp_path, "catch-up")
        status = running.ask("GET", "/readyz")[0]

    assert (done.returncode, done.stdout) == (0, "done: added 1 name, and wiped what was deleted\n"), done.stderr
    assert (again.returncode, again.stdout) == (0, "done: added 0 names, and wiped what was deleted\n"), again.stderr
    assert (rewritten.returncode, rewritten.stdout, status) == (0, "done: rewritten\n", 200), rewritten.stderr
    assert (left, file.stat().st_ino) == (0, inode)
    assert new_size < size
    assert not (tmp_path / "data" / "wats.sqlite3-copy").exists()


def test_a_database_without_a_schema_is_neither_rewritten_nor_caught_up(tmp_path: Path) -> None:
    for command in ("rewrite", "catch-up"):
        ended = db(tmp_path, command)

        assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
        assert "run `flask wats db upgrade`" in ended.stderr
