"""Processes die under load, at random and at named points: whatever was answered 200 is in the store."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from app.store import Store
from app.store.migrations.upgrade import MIGRATIONS
from tests.faults.conftest import Serve
from tests.support.senders import Senders, missing, senders, stored_bodies
from tests.support.serving import GUNICORN, ROOT, Running, is_alive
from tests.support.store import Databases, sqlite_databases
from tests.support.waiting import wait_for

MASTER, WORKER = "wats-web", "wats-worker"
DYING = Path(__file__).parent / "gunicorn_dying.py"
MIGRATING = Path(__file__).parent / "migration_dying.py"
NEXT_MIGRATION = """
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    op.execute("ALTER TABLE receipts ADD COLUMN note VARCHAR(20)")
    for part in range(10):
        op.execute("UPDATE receipts SET note = 'seen' WHERE id % 10 = " + str(part))
"""


def kill_a_web_process(running: Running, rng: random.Random) -> bool:
    return kill_one(running.pids_of(MASTER)[1:], rng)


def kill_the_worker(running: Running, rng: random.Random) -> bool:
    return kill_one(running.pids_of(WORKER), rng)


def kill_gunicorns_master(running: Running, rng: random.Random) -> bool:
    return kill_one(running.pids_of(MASTER)[:1], rng) and running.wait() != 0


def kill_serve_itself(running: Running, rng: random.Random) -> bool:
    pids = running.pids()
    running.process.kill()
    running.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in pids))
    return True


def kill_everything(running: Running, rng: random.Random) -> bool:
    running.kill_everything()
    return True


KILLS = (kill_a_web_process, kill_the_worker, kill_gunicorns_master, kill_serve_itself, kill_everything)
"""Each tells whether it has killed anything: a process that died before may not have been started again."""


def kill_one(pids: list[int], rng: random.Random) -> bool:
    with suppress(IndexError, ProcessLookupError):
        os.kill(rng.choice(pids), signal.SIGKILL)
        return True
    return False


def test_nothing_acknowledged_is_lost_to_random_kills(databases: Databases, serve: Serve, long: bool) -> None:
    url, rng, kills = databases.migrated(), random.Random(), 110 if long else 6
    with serve(url) as running:
        port = running.port
    with senders(port) as sent:
        while kills:
            kills -= die_under_load(serve, url, sent, rng, at_most=kills)

    assert len(sent.acknowledged) > 100
    assert missing(url, sent.acknowledged) == []
    assert no_body_twice(url)


def die_under_load(serve: Serve, url: str, sent: Senders, rng: random.Random, *, at_most: int) -> int:
    """Serve until a kill ended everything, or the kills are used up; how many it took."""
    with serve(url) as running:
        for done in range(1, at_most + 1):
            wait_for_answers(sent, rng.randrange(1, 200))
            wait_for(lambda: rng.choice(KILLS)(running, rng))
            if running.process.poll() is not None:
                return done
        return at_most


def wait_for_answers(sent: Senders, more: int) -> None:
    enough = len(sent.acknowledged) + more
    wait_for(lambda: len(sent.acknowledged) >= enough)


def no_body_twice(url: str) -> bool:
    bodies = stored_bodies(url)
    return len(bodies) == len(set(bodies))


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_nothing_acknowledged_is_lost_to_deaths_at_a_commit(
    databases: Databases, serve: Serve, long: bool, point: str
) -> None:
    url = databases.migrated()

    sent = send_to_the_dying(serve, url, point, deaths=60 if long else 3)

    assert missing(url, sent.acknowledged) == []
    assert no_body_twice(url)


def test_nothing_acknowledged_is_lost_to_deaths_in_a_checkpoint(tmp_path: Path, serve: Serve, long: bool) -> None:
    url = sqlite_databases(tmp_path).migrated()

    sent = send_to_the_dying(serve, url, "in_checkpoint", deaths=60 if long else 3)

    assert missing(url, sent.acknowledged) == []
    assert no_body_twice(url)


def test_an_answer_before_the_commit_would_be_found_out(tmp_path: Path, serve: Serve) -> None:
    url = sqlite_databases(tmp_path).migrated()

    assert any(loses_to_four_deaths(serve, url) for _ in range(5))


def loses_to_four_deaths(serve: Serve, url: str) -> bool:
    """Tell whether an answer before the commit was seen to lose something. The answer may come too late for that."""
    sent = send_to_the_dying(serve, url, "before_commit", deaths=4, WATS_TEST_PLANT="answer_before_commit")
    return missing(url, sent.acknowledged) != []


def send_to_the_dying(serve: Serve, url: str, point: str, *, deaths: int, **more: str) -> Senders:
    """Send while web processes die at this point, until this many have died."""
    command = (GUNICORN, "--config", str(DYING), "wsgi:app")
    with (
        serve(url, command=command, WATS_TEST_DIE_AT=point, **more) as running,
        senders(running.port) as sent,
    ):
        wait_for(lambda: running.err.count("was sent SIGKILL") >= deaths, seconds=600)
    assert len(sent.acknowledged) > 10
    return sent


def test_nothing_acknowledged_is_lost_to_deaths_in_a_migration(
    databases: Databases, tmp_path: Path, serve: Serve, long: bool
) -> None:
    """The next release's migration dies at any of its steps, while this release takes webhooks."""
    url, migrations, rng = databases.migrated(), with_next_migration(tmp_path), random.Random()
    with serve(url) as running, senders(running.port) as sent:
        wait_for_answers(sent, 50)
        steps = steps_of_migration(databases.migrated(), migrations)
        for number in range(25 if long else 2):
            code = migrate(url, migrations, rng.randint(1, steps)).returncode
            assert code == -signal.SIGKILL or (number and code == 0)  # one before may have died after its commit
            wait_for_answers(sent, 10)
        assert migrate(url, migrations).returncode == 0
        wait_for_answers(sent, 50)
        assert running.ask("GET", "/readyz")[0] == 200

    assert missing(url, sent.acknowledged) == []
    assert no_body_twice(url)


def with_next_migration(folder: Path) -> Path:
    """This release's migrations and one more, which changes every receipt."""
    migrations = folder / "migrations"
    shutil.copytree(MIGRATIONS, migrations)
    head = max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))
    (migrations / "versions" / "v9999_note.py").write_text(NEXT_MIGRATION.format(head=head))
    return migrations


def steps_of_migration(url: str, migrations: Path) -> int:
    return int(migrate(url, migrations).stdout)


def migrate(url: str, migrations: Path, die_at: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(MIGRATING), url, str(migrations), str(die_at)]
    return subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


def test_a_death_while_starting_on_an_empty_database_blocks_nobody(
    databases: Databases, tmp_path: Path, serve: Serve, long: bool
) -> None:
    url, rng = databases.empty(), random.Random()
    for _ in range(30 if long else 2):
        with serve(url, ready=False) as running:
            time.sleep(rng.uniform(0.2, 1.5))
            kill_everything(running, rng)
    store = Store(url, min_free_bytes=0, cooperative=False)

    store.upgrade_schema()

    store.open()
    assert set(store.checks().values()) == {"ok"}
    store.close()
