"""The client of the commands: which token it sends to which service."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.cli import CommandFailed, Misconfigured
from app.cli.client import Client
from app.config import ApiAccess, Token

TOKENS = {
    "token": Token("real", "hint of the real one"),
    "dry_run_token": Token("pretended", "hint of the dry-run's"),
}


class Service(ThreadingHTTPServer):
    """A service that says which mode it is in, and refuses every token; `sent`: what stood in `Authorization`."""

    daemon_threads = True

    def __init__(self, health: int, mode: str, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Refusing)
        self.health, self.mode, self.name, self.sent = health, mode, name, list[str | None]()

    def access(self, token: Token, dry_run_token: Token | None) -> ApiAccess:
        return ApiAccess(f"http://127.0.0.1:{self.server_address[1]}", "/api", token, dry_run_token)


class _Refusing(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.sent.append(self.headers["Authorization"])
        body = json.dumps({"service": self.server.name}).encode()
        self.send_response(self.server.health if self.path == "/healthz" else 401)
        self.send_header("X-Wats-Mode", self.server.mode)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextlib.contextmanager
def service(health: int = 200, mode: str = "live", name: str = "wats") -> Iterator[Service]:
    server = Service(health, mode, name)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_live_service_is_sent_the_real_token() -> None:
    with service() as live, pytest.raises(CommandFailed):
        Client(live.access(**TOKENS)).get("/events")

    assert live.sent == [None, "Bearer real"]


def test_a_service_that_says_it_is_a_dry_run_is_sent_the_dry_runs_token() -> None:
    with service(mode="dry-run") as dry_run, pytest.raises(CommandFailed):
        Client(dry_run.access(**TOKENS)).get("/events")

    assert dry_run.sent == [None, "Bearer pretended"]


def test_a_service_is_not_asked_where_the_token_is_certain() -> None:
    with service(mode="dry-run") as dry_run, pytest.raises(CommandFailed):
        Client(dry_run.access(TOKENS["token"], None)).get("/events")

    assert dry_run.sent == ["Bearer real"]


def test_without_a_token_a_live_service_is_sent_none() -> None:
    with service() as live, pytest.raises(Misconfigured, match="set TOKEN"):
        Client(live.access(Token("", "set TOKEN"), TOKENS["dry_run_token"])).get("/events")

    assert live.sent == [None]


def test_behind_a_proxy_that_hides_the_mode_a_service_counts_as_live() -> None:
    with service(403, mode="dry-run") as hidden, pytest.raises(CommandFailed):
        Client(hidden.access(**TOKENS)).get("/events")

    assert hidden.sent == [None, "Bearer real"]


@pytest.mark.parametrize(("health", "name", "told"), [(200, "other", "is not wats"), (502, "", "answered 502")])
def test_another_server_is_sent_no_token(health: int, name: str, told: str) -> None:
    with service(health, name=name) as other, pytest.raises(CommandFailed, match=told):
        Client(other.access(**TOKENS)).get("/events")

    assert other.sent == [None]
