"""The client of the Graph API in a process as the worker is one: gevent-patched, sending what its input asks for."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before anything else is imported

import json
import sys
from datetime import UTC, datetime
from typing import Any

from gevent.fileobject import FileObject

from app.graph import GraphClient
from app.log import configure_logging


def now() -> datetime:
    return datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def main() -> None:
    """Read what to send, line by line, and print what came of each. Clients are kept, with their connections."""
    configure_logging()
    clients: dict[str, GraphClient] = {}
    for line in FileObject(sys.stdin.fileno(), "r", close=False):
        request: dict[str, Any] = json.loads(line)
        client, limits = json.dumps(request["client"]), request["client"].pop("limits")
        if client not in clients:
            clients[client] = GraphClient(**request["client"], clock=now, **limits)
        answer = clients[client].send(request["number"], request["endpoint"], request["body"].encode())
        print(json.dumps([type(answer).__name__, vars(answer)], default=str), flush=True)


if __name__ == "__main__":
    main()
