"""The background worker, dying of SIGKILL at the point that WATS_TEST_DIE_AT names, while a message is being sent."""
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
    if point == os.environ["WATS_TEST_DIE_AT"] and store.messages.page(status=MessageStatus.SENDING, limit=1):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store.open()
    sys.exit(main(die_while_sending))
