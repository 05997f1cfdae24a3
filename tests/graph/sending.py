"""The client of the Graph API in a process as those of the gateway are: gevent-patched, doing as it is told."""
# ruff: noqa: E402

from gevent import monkey

monkey.patch_all()  # before anything else is imported

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gevent.fileobject import FileObject

from app.graph.call import GraphRequest, GraphUnreachable
from app.graph.client import GraphClient
from app.log import configure_logging


def now() -> datetime:
    return datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


class BodyBroken(Exception):
    """The client of the gateway has gone."""


def pieces(count: int, *, breaks: bool) -> Iterator[bytes]:
    """Yield this many pieces of 64 KiB."""
    for _ in range(count):
        yield b"x" * 65536
    if breaks:
        raise BodyBroken


def peak_kilobytes() -> int:
    """Return the highest memory of this process since the last call, and begin to measure anew."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    Path("/proc/self/clear_refs").write_text("5")
    return int(status["VmHWM"].split()[0])


def call(client: GraphClient, asked: dict[str, Any]) -> tuple[str, Any]:
    """Make a call; return what came of it, and by how much the memory of this process has grown."""
    peak_kilobytes()
    before = peak_kilobytes()
    count, breaks = asked.pop("pieces", None), asked.pop("breaks", False)
    body = pieces(count, breaks=breaks) if count else asked.pop("body", "").encode()
    headers = [(name, value) for name, value in asked.pop("headers", [])]
    length = count * 65536 if count else None
    try:
        with client.call(GraphRequest(headers=headers, body=body, length=length, **asked)) as reply:
            start, size = b"", 0
            for chunk in reply.chunks:
                start, size = (start + chunk)[:1000], size + len(chunk)
    except GraphUnreachable as failure:
        return "GraphUnreachable", vars(failure)
    except BodyBroken:
        return "BodyBroken", {}
    grown = peak_kilobytes() - before
    told = {"status": reply.status, "headers": reply.headers, "body": start.decode("latin-1"), "size": size}
    return "GraphReply", {**told, "grown_kilobytes": grown}


def main() -> None:
    """Read what to do, line by line, and print what came of each. Clients are kept, with their connections."""
    configure_logging()
    clients: dict[str, GraphClient] = {}
    for line in FileObject(sys.stdin.fileno(), "r", close=False):
        request: dict[str, Any] = json.loads(line)
        limits = request["client"].pop("limits")
        client = json.dumps([request["client"], limits])
        if client not in clients:
            clients[client] = GraphClient(**request["client"], clock=now, **limits)
        if "call" in request:
            print(json.dumps(call(clients[client], request["call"])), flush=True)
            continue
        may_write = iter([True] * request["parts"] + [False])
        message = request["number"], request["endpoint"], request["body"].encode()
        answer = clients[client].send(*message, partial(next, may_write))
        fields = {name: value for name, value in vars(answer).items() if value is not False}
        print(json.dumps([type(answer).__name__, fields], default=str), flush=True)


if __name__ == "__main__":
    main()
