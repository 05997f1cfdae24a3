"""Follow the events of a running service, until Ctrl-C or SIGTERM. While it does not answer, retry."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from app.cli.client import Client, Unreachable
from app.cli.stopping import Stopping

T = TypeVar("T")

LATEST = "latest"
MAX_EVENTS = 100
WAIT_SECONDS = 25
RETRY_SECONDS = 1.0


def follow(
    client: Client, stopping: Stopping, cursor: str, chosen: Mapping[str, str | None]
) -> Iterator[dict[str, Any]]:
    """Yield the chosen events without end. The first request does not wait, so that an error is reported at once."""
    wait = 0
    while True:
        with stopping.interruptible():
            page = _next_page(client, retries=wait > 0, cursor=cursor, wait=wait, **chosen)
        yield from page["items"]
        cursor, wait = page["nextCursor"], WAIT_SECONDS


def repeated(call: Callable[[], T]) -> T:
    """Return the result of a call; repeat the call until the service answers, and report once that it does not."""
    reported = False
    while True:
        try:
            return call()
        except Unreachable as error:
            if not reported:
                click.echo(f"warning: {error.message}; retrying", err=True)
            reported = True
            time.sleep(RETRY_SECONDS)


def _next_page(client: Client, *, retries: bool, **query: Any) -> dict[str, Any]:
    def ask() -> dict[str, Any]:
        return client.page("/events", limit=MAX_EVENTS, **query)

    return repeated(ask) if retries else ask()
