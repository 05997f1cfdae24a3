"""A gevent process in which errors occur that no code catches; the last one ends it."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()

import logging
import threading
import warnings

import gevent
from gevent.threadpool import ThreadPool

from app.log import configure_logging, log_failed_greenlets, log_uncaught_errors, take_over_output

PHONE = "4915112345678"


class Unlucky:
    """Cannot be destroyed in peace."""

    def __del__(self) -> None:
        fail("destructor")


def fail(where: str) -> None:
    raise ValueError(PHONE, where)


def main() -> None:
    take_over_output()
    configure_logging()
    log_uncaught_errors()
    log_failed_greenlets()
    gevent.joinall([gevent.spawn(fail, "greenlet") for _ in range(20)])
    ThreadPool(1).spawn(int, f"pool {PHONE}").wait()
    thread = threading.Thread(target=fail, args=("thread",))
    thread.start()
    thread.join()
    Unlucky()
    warnings.warn("careful", stacklevel=1)
    logging.getLogger("library").warning("%d", "no number")
    fail("process")


if __name__ == "__main__":
    main()
