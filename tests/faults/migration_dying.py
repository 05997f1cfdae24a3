"""Migrates a database, and dies of SIGKILL at one of its steps: `migration_dying.py URL MIGRATIONS STEP`.

A step is a statement, or the end of the migration: on SQLite before its commit, on PostgreSQL, where each migration
has a transaction of its own, after it. It says how many steps it did. If there are fewer than asked for, as may be on
another database, it dies at the end.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

from app.store import Store
from app.store.migrations import upgrade


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, migrations: str, last: str) -> None:
    steps = count(1)

    def do_step(*_: object) -> int:
        step = next(steps)
        if step == int(last):
            die()
        return step

    def end(_: str) -> None:
        print(do_step())
        if int(last):
            die()

    event.listen(Engine, "before_cursor_execute", do_step)
    upgrade.MIGRATIONS = Path(migrations)
    store = Store(url, min_free_bytes=0, cooperative=False, on_failpoint=end)
    store.upgrade_schema()


if __name__ == "__main__":
    main(*sys.argv[1:])
