"""The commands of docs/deploy/backup.md, on a database in use: what is restored is what was there at the backup."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.receipt import Stored
from app.store import Store
from tests.support.postgres import PostgresServer
from tests.support.serving import ROOT
from tests.support.store import StoreMaker, make_store, new_receipt, sqlite_databases

__all__ = ["make_store"]

PAGE = (ROOT / "docs" / "deploy" / "backup.md").read_text()
BEFORE, AFTER = new_receipt(b"before"), new_receipt(b"after")


def commands_of(title: str) -> tuple[list[str], list[str]]:
    """Return the commands of a section: those that back up, and those that restore."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    backup, restore = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return backup.splitlines(), restore.splitlines()


def execute(commands: list[str], folder: Path, **environ: str) -> None:
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command], cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def assert_restored(store: Store) -> None:
    """Assert that the store knows what came before the backup, and takes in what came after it as new."""
    assert store.schema_status().compatible
    assert store.receipts.add(BEFORE) is Stored.DUPLICATE
    assert store.receipts.add(AFTER) is Stored.ACCEPTED


def test_a_sqlite_database_is_backed_up_in_use_and_restored(tmp_path: Path, make_store: StoreMaker) -> None:
    backup, restore = (
        [re.sub(r"^python ", f"{sys.executable} ", command).replace("data/", "data1/") for command in commands]
        for commands in commands_of("SQLite")
    )
    url = sqlite_databases(tmp_path).migrated()
    in_use = make_store(url)

    in_use.receipts.add(BEFORE)
    execute(backup, tmp_path)
    in_use.receipts.add(AFTER)
    in_use.close()
    execute(restore, tmp_path)

    assert_restored(make_store(url))


def test_a_backup_does_not_overwrite_another_one(tmp_path: Path, make_store: StoreMaker) -> None:
    backup = [re.sub(r"^python ", f"{sys.executable} ", each) for each in commands_of("SQLite")[0]]
    make_store(sqlite_databases(tmp_path).migrated())
    (tmp_path / "data").symlink_to("data1")

    execute(backup, tmp_path)

    with pytest.raises(AssertionError, match="already exists"):
        execute(backup, tmp_path)


def test_a_postgresql_database_is_backed_up_in_use_and_restored(
    tmp_path: Path, postgres_server: PostgresServer, make_store: StoreMaker
) -> None:
    backup, restore = commands_of("PostgreSQL")
    url, empty = postgres_server.migrated_database(), postgres_server.empty_database()
    path = f"{postgres_server.binaries}:{os.environ['PATH']}"
    in_use = make_store(url)

    in_use.receipts.add(BEFORE)
    execute(backup, tmp_path, PATH=path, WATS_DATABASE_URL=url.replace("+psycopg", ""))
    in_use.receipts.add(AFTER)
    execute(restore, tmp_path, PATH=path, WATS_DATABASE_URL=empty.replace("+psycopg", ""))

    assert_restored(make_store(empty))
