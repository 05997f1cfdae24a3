"""Clients and Meta that are slow, silent or gone: each is waited for until a limit, and holds nothing else up."""

import collections
import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.domain.media_file import FileState
from app.domain.meta.media import Media
from app.gateway import EXTENSION, Gateway
from app.graph.call import GraphReply, GraphRequest
from app.store.tables.media_schema import media_files
from app.store.transactions.follow_media import add_media
from app.web.errors import ApiError
from app.web.meta_calls import EXTENSION as META_CALLS
from app.web.meta_calls import MetaCalls
from app.web.streamed_body import stream_body
from app.web.transfers import EXTENSION as TRANSFERS
from app.web.transfers import TransferBroken, Transfers, sent_in_time
from tests.media.forms import BOUNDARY, JPEG, ask, file, form
from tests.media.scripted_meta import FileAtMeta, ScriptedMeta
from tests.support.serving import Running
from tests.support.store import NOON
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import bearer

FOREVER = 3600.0
SHOWN, DELETED = ("/api/media/17", "GET"), ("/api/media/17", "DELETE")
LARGE = bytes(300 * 1024)
"""More than is read of a client at a time."""


class Dripping:
    """The body of a client that sends these pieces, and then nothing for long."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read(self, _: int) -> bytes:
        if not self._pieces:
            gevent.sleep(FOREVER)
        return self._pieces.pop(0)


class Gone:
    """The body of a client that has gone away."""

    def read(self, _: int) -> bytes:
        raise ConnectionResetError


def environ(stream: Any, length: int = 100) -> dict[str, Any]:
    return {"wsgi.input": stream, "CONTENT_LENGTH": str(length)}


def test_a_client_that_sends_nothing_more_is_given_up() -> None:
    body = stream_body(environ(Dripping(b"a")), 100, grace_seconds=0.05)

    assert next(body) == b"a"
    with pytest.raises(ApiError) as refused:
        next(body)
    assert (refused.value.code, "1 of 100 bytes" in refused.value.message) == ("body_timeout", True)


def test_only_the_time_of_the_client_counts() -> None:
    body = stream_body(environ(Dripping(b"a", b"b"), 2), 100, grace_seconds=1)

    first = next(body)
    gevent.sleep(1.1)  # whoever passes the piece on is slow

    assert [first, *body] == [b"a", b"b"]


def test_a_client_that_goes_away_leaves_a_body_that_is_cut_short() -> None:
    with pytest.raises(ApiError) as refused:
        list(stream_body(environ(Gone()), 100))

    assert refused.value.code == "invalid_body"


def test_a_client_that_takes_nothing_is_cut_off() -> None:
    pieces = sent_in_time(iter([b"a", b"b"]), silent_seconds=0.05)
    next(pieces)

    with pytest.raises(TransferBroken, match="too little"):
        gevent.sleep(FOREVER)  # where the server waits for the client's socket


def test_a_client_that_takes_too_little_is_cut_off() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"a"

    pieces = sent_in_time(endless(), grace_seconds=0.05)

    with pytest.raises(TransferBroken, match="too little"):
        collections.deque((gevent.sleep(0.02) for _ in pieces), maxlen=0)


def test_only_so_many_files_pass_at_a_time() -> None:
    transfers = Transfers(limit=2)
    first, second = transfers.begin(), transfers.begin()

    with pytest.raises(ApiError) as refused:
        transfers.begin()
    first()
    first()
    third = transfers.begin()

    assert (refused.value.code, refused.value.headers["Retry-After"]) == ("busy", "5")
    with pytest.raises(ApiError):
        transfers.begin()
    second()
    third()
    with transfers.one(), transfers.one():
        pass


def test_a_file_gives_its_place_back_when_it_was_sent_and_when_its_client_has_gone(
    app: Flask, client: FlaskClient, gateway: Gateway
) -> None:
    app.extensions[TRANSFERS] = Transfers(1)
    written = gateway.media_folder.write("17", [LARGE])
    media = Media("17", sha256=written.sha256, size=written.size)
    gateway.store.write(lambda c: add_media(c, NOON, [(1, None, media)]))
    gateway.store.write(lambda c: c.execute(update(media_files).values(state=FileState.STORED.value)))

    statuses = []
    for is_read in (True, False, True):
        with client.get("/api/media/17/content", headers=bearer()) as response:
            statuses.append(response.status_code)
            _ = response.get_data() if is_read else next(response.iter_encoded())

    assert statuses == [200, 200, 200]


def test_a_slow_upload_holds_up_no_other_request(served: Running, meta: ScriptedMeta) -> None:
    body = form(file(LARGE))
    head = f"POST /api/media HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}\r\n"
    head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    meta.files["1"] = FileAtMeta(JPEG)

    with contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), DEADLINE_SECONDS))
            connection.sendall(head.encode() + body[:-30])
        wait_for(lambda: len(meta.asked_for("POST")) == 20)  # they are passed on as far as they have come
        answer = ask(served, "GET", "/media/1/content")
        connection.sendall(body[-30:])
        last = connection.recv(1000)

    assert (answer.status, answer.body) == (200, JPEG)
    assert last.startswith(b"HTTP/1.1 201 ")


def test_a_client_that_hangs_up_leaves_nothing_at_meta(served: Running, meta: ScriptedMeta) -> None:
    body = form(file(LARGE))
    head = f"POST /api/media HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer()['Authorization']}\r\n"
    head += f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"

    with socket.create_connection(("127.0.0.1", served.port), DEADLINE_SECONDS) as connection:
        connection.sendall(head.encode() + body[:-30])
        wait_for(lambda: meta.asked_for("POST"))
        wait_for(lambda: meta.asked_for("POST")[0].size)

    wait_for(lambda: meta.asked_for("POST")[0].is_over)
    assert not meta.asked_for("POST")[0].is_whole


class ForgetfulMeta:
    """A Meta whose first address of a file does not work any more. `queries`: those of its look-ups."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def call(self, request: GraphRequest) -> GraphReply:
        self.queries.append(request.query)
        told = {"id": "17", "messaging_product": "whatsapp", "mime_type": "image/jpeg", "url": "https://lookaside/17"}
        return GraphReply(200, (), iter([json.dumps(told).encode()]))

    def download(self, url: str) -> GraphReply:
        return GraphReply(404 if len(self.queries) == 1 else 200, (), iter([b"a picture"]))


def test_each_look_up_of_a_file_names_the_number_that_it_came_to(
    app: Flask, client: FlaskClient, gateway: Gateway
) -> None:
    meta = ForgetfulMeta()
    app.extensions[EXTENSION] = replace(gateway, make_graph=lambda _: meta)  # type: ignore[arg-type]
    gateway.store.write(lambda c: add_media(c, NOON, [(1, "9876543210", Media("17"))]))

    answer = client.get("/api/media/17/content", headers=bearer())

    assert (answer.status_code, answer.data) == (200, b"a picture")
    assert meta.queries == ["phone_number_id=9876543210"] * 2


def test_only_so_many_look_ups_wait_for_meta_at_a_time(app: Flask, client: FlaskClient) -> None:
    app.extensions[META_CALLS] = MetaCalls(limit=0)

    answers = [client.open(path, method=method, headers=bearer()) for path, method in (SHOWN, DELETED)]

    assert [(one.status_code, one.get_json()["error"]["code"]) for one in answers] == [(503, "busy")] * 2
