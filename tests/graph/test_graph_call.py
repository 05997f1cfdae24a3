"""A call to the Graph API as it is, over real sockets: nothing is added, decoded, followed or held as a whole."""

import contextlib
import gzip
import socket

import pytest

from tests.graph.test_graph_client import head, url_of
from tests.support.destinations import ClientConnection, ScriptedDestination
from tests.support.graph_sender import GraphSender

PIECE = 65536
MANY = 256
"""Pieces: 16 megabytes."""

FLAT_KILOBYTES = 6 * 1024


def test_path_and_query_reach_meta_undecoded(meta: ScriptedDestination, sender: GraphSender) -> None:
    query = "sig=ARa%2Bb%2F=&fields=analytics.start(1).end(2)&x=a+b%20c"

    sender.call(url_of(meta) + "/prefix", "POST", "upload:MTph%2B==", query=query, version="v19.0")

    assert meta.calls[0].target.replace("%2f", "%2F") == f"/prefix/v19.0/upload:MTph%2B==?{query}".replace(
        "%2f", "%2F"
    )


def test_metas_token_takes_the_place_of_the_callers(meta: ScriptedDestination, sender: GraphSender) -> None:
    ours = [["Authorization", "Bearer ours"], ["Cookie", "a=b"], ["Host", "gateway.test"]]

    for path in ("1/media", "upload:1"):
        sender.call(url_of(meta), "POST", path, headers=ours)

    assert [call.headers["authorization"] for call in meta.calls] == ["Bearer EAAmetas", "OAuth EAAmetas"]
    assert {call.headers["host"] for call in meta.calls} == {f"127.0.0.1:{meta.port}"}
    assert all("cookie" not in call.headers for call in meta.calls)


def test_headers_of_the_connection_are_not_passed_on(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, b"{}", Connection="keep-alive, x-hop", X_Hop="1", Set_Cookie="a=b", X_FB_Trace_ID="t")
    hops = [["Connection", "x-mine"], ["X-Mine", "1"], ["TE", "trailers"], ["file_offset", "0"], ["Accept", "a/b"]]

    _, reply = sender.call(url_of(meta), headers=hops)

    names = {name.lower() for name, _ in reply["headers"]}
    assert names == {"content-length", "x-fb-trace-id"}
    assert {"x-mine", "te"}.isdisjoint(meta.calls[0].headers)
    assert (meta.calls[0].headers["file_offset"], meta.calls[0].headers["accept"]) == ("0", "a/b")


def test_a_redirect_is_given_back_and_not_followed(meta: ScriptedDestination, sender: GraphSender) -> None:
    with contextlib.closing(ScriptedDestination()) as other:
        meta.will_answer(302, b"", Location=other.url)

        _, reply = sender.call(url_of(meta))

        assert (reply["status"], other.calls) == (302, [])


def test_a_large_body_goes_out_with_flat_memory(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, b"{}")

    _, reply = sender.call(url_of(meta), "POST", "1/media", pieces=MANY)

    assert len(meta.calls[0].body) == MANY * PIECE
    assert reply["grown_kilobytes"] < FLAT_KILOBYTES


def test_a_large_answer_comes_in_with_flat_memory(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, b"x" * MANY * PIECE)

    _, reply = sender.call(url_of(meta))

    assert reply["size"] == MANY * PIECE
    assert reply["grown_kilobytes"] < FLAT_KILOBYTES


def test_an_answer_that_is_encoded_unasked_is_decoded(meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_answer(200, gzip.compress(b'{"id":"1"}'), Content_Encoding="gzip")

    _, reply = sender.call(url_of(meta))

    assert (reply["body"], reply["headers"]) == ('{"id":"1"}', [])


def test_an_answer_that_is_read_whole_leaves_its_connection_to_the_next_call(
    meta: ScriptedDestination, sender: GraphSender
) -> None:
    for _ in range(2):
        sender.call(url_of(meta))

    assert [call.connection for call in meta.calls] == [1, 1]


def test_a_body_that_breaks_off_ends_the_call_before_meta_has_all_of_it(
    meta: ScriptedDestination, sender: GraphSender
) -> None:
    kind, _ = sender.call(url_of(meta), "POST", "1/media", pieces=2, breaks=True)

    assert kind == "BodyBroken"


@pytest.mark.parametrize("said", [b"", head(99), head(99) + b"{}"])
def test_an_answer_that_breaks_off_is_reported(said: bytes, meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_say(said, then=ClientConnection.reset)

    kind, failure = sender.call(url_of(meta))

    assert (kind, failure["reason"]) == ("GraphUnreachable", "connection lost before the whole answer")
    assert failure["was_sent"]


@pytest.mark.parametrize("said", [b"", head(99), head(99) + b"{}"])
def test_silence_ends_a_call(said: bytes, meta: ScriptedDestination, sender: GraphSender) -> None:
    meta.will_hang(said)

    kind, failure = sender.call(url_of(meta), limits={"read_seconds": 0.3})

    assert (kind, failure["reason"]) == ("GraphUnreachable", "no answer in time")


def test_a_refused_connection_tells_that_nothing_was_sent(sender: GraphSender) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    kind, failure = sender.call(f"http://127.0.0.1:{port}")

    assert (kind, failure["reason"]) == ("GraphUnreachable", "connection refused")
    assert not failure["was_sent"]
