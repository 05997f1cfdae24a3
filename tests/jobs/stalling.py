"""A process with a watchdog: `stalling.py hang|freeze|stop`. Looks are short, so that the tests are."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import sys

import gevent
from gevent.fileobject import FileObject

from app.jobs.watchdog import Watchdog

native_sleep = monkey.get_original("time", "sleep")


def hang_in_a_call() -> None:
    """Something that never gives the loop a turn."""
    native_sleep(600)


def main(how: str) -> None:
    watchdog = Watchdog(looks=5, look_seconds=0.1)
    watchdog.start()
    gevent.sleep(0.3)
    if how == "stop":
        watchdog.stop()
        native_sleep(1.5)
    elif how == "hang":
        hang_in_a_call()
    print("turning", flush=True)
    if how == "freeze":
        FileObject(sys.stdin.fileno(), "r", close=False).readline()  # the loop turns meanwhile
    print("alive", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
