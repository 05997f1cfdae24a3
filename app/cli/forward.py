"""Posts events to a URL of the developer, signed as they are for a destination."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
import urllib3
from urllib3 import exceptions

from app.cli.client import new_pool
from app.domain import VERSION
from app.domain.meta.signature import SIGNATURE_HEADER, signature_of
from app.domain.standard_webhooks import signing_headers

CONNECT_SECONDS, READ_SECONDS = 3.0, 15.0
Headers = dict[str, str]


def read_url(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    """Return the URL if events can be posted to it. Raise `BadParameter` without the URL: it may hold a password."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise click.BadParameter("an absolute URL is needed, such as http://127.0.0.1:8080/hooks")
    return url


def signature_in(format_: str, event_id: str, body: bytes, secret: str) -> Headers:
    """Return the headers with the signature of a push in this format."""
    if format_ == "meta":
        return {SIGNATURE_HEADER: signature_of(body, secret)}
    return signing_headers(event_id, datetime.now(UTC), body, [secret])


@dataclass(frozen=True)
class Forward:
    """Posts each event once. After a failure there is no retry: the next event follows."""

    url: str
    format: str
    secret: str = field(repr=False)
    read_seconds: float = READ_SECONDS
    _pool: urllib3.PoolManager = field(default_factory=new_pool, repr=False)

    def post(self, event_id: str, body: bytes) -> str:
        """Post an event; return the result as text for the terminal."""
        headers = {"Content-Type": "application/json", "User-Agent": f"wats/{VERSION}"}
        headers |= signature_in(self.format, event_id, body, self.secret)
        started = time.monotonic()
        try:
            return f"HTTP {self._post(body, headers)} in {round((time.monotonic() - started) * 1000)} ms"
        except exceptions.NewConnectionError:  # before TimeoutError, of which it is a subclass
            return "no answer: the connection failed"
        except exceptions.TimeoutError:
            return f"no answer within {self.read_seconds:g} seconds"
        except exceptions.HTTPError:
            return "no answer: the connection failed"

    def _post(self, body: bytes, headers: Headers) -> int:
        timeouts = urllib3.Timeout(connect=CONNECT_SECONDS, read=self.read_seconds)
        response = self._pool.request(
            "POST", self.url, body=body, headers=headers, timeout=timeouts, redirect=False, preload_content=False
        )
        response.close()
        return response.status
