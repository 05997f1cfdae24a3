"""What a process tells systemd, as systemd hears it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

LAST = b"the test is over"


class NotifySocket:
    """The socket that `NOTIFY_SOCKET` names. It reads all the time, so that no message is dropped."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "notify")
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._reader = threading.Thread(target=self._read)

    @contextlib.contextmanager
    def listening(self) -> Iterator["NotifySocket"]:
        """Listen while the block runs."""
        self._reader.start()
        try:
            yield self
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(LAST, self.path)
            self._reader.join()
            self._socket.close()

    def _read(self) -> None:
        while (message := self._socket.recv(4096)) != LAST:
            self.heard += message.decode().splitlines()
