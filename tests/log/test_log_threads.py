"""Greenlets and native threads log at the same time, and none of them waits for ever."""

import subprocess
import sys

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS

LOGGING_AT_ONCE = """
import sys
from app.gevent_patch import patch
patch()
import gevent, logging
from gevent.threadpool import ThreadPool
from app.log import configure_logging
from app.store.engine.pool_log import summarise_lost_connections

sys.setswitchinterval(1e-5)
configure_logging()
summarise_lost_connections()
POOL = ThreadPool(4)

def print_line(number):
    logging.getLogger("app.test").info("test.said", extra={"attempt": number})

def print_nothing(number):
    logger = logging.getLogger(f"app.test.{number % 50}")
    logger._cache.clear()  # whether it prints is then looked up anew, under the lock of all loggers
    logger.debug("test.kept")

def lose_connection(number):
    error = type(f"Lost{number}", (Exception,), {})()
    logging.getLogger("sqlalchemy.pool").error("a pool's own words", exc_info=error)

def repeat(log, times):
    for number in range(times):
        log(number)
        if number % 50 == 0:
            gevent.sleep(0)

for work in (print_nothing, 10_000), (print_line, 1000), (lose_connection, 1000):
    gevent.joinall([spawn(repeat, *work) for spawn in [POOL.spawn] * 4 + [gevent.spawn] * 2])
"""


def test_threads_and_greenlets_that_log_at_once_come_to_their_end() -> None:
    logging = [sys.executable, "-c", LOGGING_AT_ONCE]

    ended = subprocess.run(logging, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)

    assert ended.stderr.count("test.said") == 6000
