"""Meta's handshake with our own public address, performed as Meta does."""

import secrets
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from app.cli.client import new_pool
from app.cli.doctor.finding import Finding, error, fine, warning
from app.config import Settings
from app.config.hosts import is_loopback

TIMEOUTS = urllib3.Timeout(connect=5, read=15)
SHOWN = 80


def handshake_at(public_url: str | None, settings: Settings) -> Iterator[Finding]:
    """Perform the handshake at an address that the operator has given, over https or on this machine.

    The verify token goes to no address that only Meta's answer names: it may be another's.
    """
    parts = urlsplit(public_url or "")
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        yield from handshake(f"{public_url}{settings.webhook.path}", settings)
        return
    why = "no https address of ours is given" if public_url is None else f"{public_url} is not https"
    cure = "give --public-url https://…, or set service.publicUrl"
    yield warning("handshake", f"it is not performed: {why}", cure)


def handshake(url: str, settings: Settings) -> Iterator[Finding]:
    """Ask for a challenge back, with the right verify token; then see that a wrong one is refused."""
    token, challenge = settings.webhook.verify_token, secrets.token_hex(8)
    try:
        status, body = _ask(url, token.current, challenge)
        refused, _ = _ask(url, "not-" + secrets.token_hex(8), challenge)
    except SSLError:
        cure = "install a certificate of a public authority, with its intermediates; Meta takes no self-signed one"
        yield error("handshake", f"{url} shows a certificate that is not trusted", cure)
    except HTTPError as failure:
        cure = "start the service; point the proxy or the tunnel at it, and open the firewall"
        yield error("handshake", f"{url} is not reached ({type(failure).__name__})", cure)
    else:
        is_echoed = body == challenge.encode()
        yield _judged(url, status, is_echoed, token.name)
        if is_echoed and refused == HTTPStatus.OK:
            yield error("handshake", f"{url} takes any verify token", "another service answers there: not wats")


def _ask(url: str, token: str, challenge: str) -> tuple[int, bytes]:
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    asked = f"{url}?{urlencode(query)}"
    with new_pool().request("GET", asked, timeout=TIMEOUTS, redirect=False, preload_content=False) as response:
        return response.status, response.read(SHOWN)


def _judged(url: str, status: int, is_echoed: bool, name: str) -> Finding:
    if status == HTTPStatus.OK and is_echoed:
        return fine("handshake", f"{url} answers Meta's handshake")
    if status == HTTPStatus.FORBIDDEN:
        cure = f"start the service with the same {name}; or another wats answers there"
        return error("handshake", f"{url} refuses the verify token of {name}", cure)
    cure = "the address must lead to webhook.path, unchanged: see the proxy, and `flask wats onboarding`"
    return error("handshake", f"{url} answers HTTP {status} instead of the challenge", cure)
