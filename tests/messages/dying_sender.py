"""The background worker, dying of SIGKILL at the point WATS_TEST_DIE_AT while it sends WATS_TEST_MESSAGE."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before anything else is imported

import os
import signal
import sys

from app.domain.message import MessageStatus
from app.store import Store
from app.worker import main

store = Store(os.environ["WATS_TEST_URL"], min_free_bytes=0, cooperative=True)


def die_while_sending(point: str) -> None:
    message = store.messages.get(os.environ["WATS_TEST_MESSAGE"]) if point == os.environ["WATS_TEST_DIE_AT"] else None
    if message is not None and message.status is MessageStatus.SENDING:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store.open()
    sys.exit(main(die_while_sending))
