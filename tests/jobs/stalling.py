"""A process with a watchdog: `stalling.py hang|freeze|overdue`. Checks are short, so that the tests are."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import sys

import gevent
from gevent.fileobject import FileObject

from app.jobs.watchdog import Watchdog

native_sleep = monkey.get_original("time", "sleep")


def hang_in_a_call() -> None:
    """Block the event loop."""
    native_sleep(600)


def main(behaviour: str) -> None:
    watchdog = Watchdog(checks=5, check_seconds=0.1)
    watchdog.start()
    gevent.sleep(0.3)
    if behaviour == "overdue":
        watchdog.limit_stop(0.5)
        gevent.sleep(600)
    elif behaviour == "hang":
        hang_in_a_call()
    print("running", flush=True)
    if behaviour == "freeze":
        FileObject(sys.stdin.fileno(), "r", close=False).readline()  # the loop runs meanwhile
    print("alive", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
