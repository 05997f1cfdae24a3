"""The project's gunicorn settings, with web processes that die of SIGKILL at a named point.

WATS_TEST_DIE_AT names the point; each process passes it a few times first. WATS_TEST_PLANT plants a bug.
"""

import os
import random
import runpy
import signal
from pathlib import Path

_settings = runpy.run_path(str(Path(__file__).parents[2] / "gunicorn.conf.py"))
globals().update({name: value for name, value in _settings.items() if not name.startswith("_")})
_POINT = os.environ["WATS_TEST_DIE_AT"]
_LEAST, _MOST = 5, 60


class _Death:
    """Comes when its point has been passed often enough."""

    def __init__(self):
        self.left = random.randint(_LEAST, _MOST)

    def pass_point(self, point):
        if point == _POINT:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def write(self, name, _offset, _data):
        if name.endswith(".sqlite3"):  # with WAL only a checkpoint writes to the database itself
            self.pass_point("in_checkpoint")
        return 0

    def truncate(self, _name, _size):
        return 0

    def sync(self, _name):
        return 0

    def delete(self, _name, _durably):
        return 0


def _answer_before_commit():
    import gevent

    from app.domain.receipt import Stored
    from app.store.receipts import Receipts

    add = Receipts.add

    def add_later(receipts, receipt):
        gevent.spawn(add, receipts, receipt)
        return Stored.ACCEPTED

    Receipts.add = add_later


def post_worker_init(worker):
    """Wait for death, then go on as always."""
    from app.store.engine import sqlite
    from tests.support.vfs import watch

    death = _Death()
    sqlite.CHECKPOINT_PAGES = 40
    watch(death)
    worker.wsgi.extensions["wats"].store._on_failpoint = death.pass_point
    if os.environ.get("WATS_TEST_PLANT") == "answer_before_commit":
        _answer_before_commit()
    _settings["post_worker_init"](worker)
