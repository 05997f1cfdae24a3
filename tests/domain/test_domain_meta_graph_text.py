"""What a client of ours reads has no token of Meta's, and its media are at our address."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.meta.graph_text import (
    UnreadableAnswer,
    begins_as_json,
    chunks_without_tokens,
    masked,
    spellings,
    with_own_addresses,
    without_tokens,
)

TOKEN = "EAAx|y"
HOSTS = ("fbsbx.com",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'"https://m/x?access_token=EAAx%7Cy&limit=1&after=b"', b'"https://m/x?limit=1&after=b"'),
        (b'"https:\\/\\/m\\/x?limit=1&access_token=Q\\/q&after=b"', b'"https:\\/\\/m\\/x?limit=1&after=b"'),
        (b'"https://m/x?limit=1\\u0026access_token=Q\\u0026after=b"', b'"https://m/x?limit=1\\u0026after=b"'),
        (b'"https://m/x?limit=1&access_token=Q"', b'"https://m/x?limit=1"'),
        (b'"https://m/x?access_token=Q"', b'"https://m/x"'),
        (b'{"access_token":"1|s\\"s","token_type":"bearer"}', b'{"access_token":"[token]","token_type":"bearer"}'),
        (b"Malformed access token EAAx|y", b"Malformed access token [token]"),
        (b"access_token=EAAX&expires=5", b"expires=5"),
        (b"access_token=EAAX", b""),
        (b"https://m/#access_token=Q&expires=5", b"https://m/#expires=5"),
        (b'"access_token=Q"', b'""'),
        (b'{"data":[]}', b'{"data":[]}'),
    ],
)
def test_a_token_is_taken_out(text: bytes, expected: bytes) -> None:
    assert without_tokens(text, TOKEN) == expected


def test_a_secret_is_taken_out_in_every_spelling_and_as_a_whole() -> None:
    text = b"EA/1 EA%2F1 EA\\/1 EA/1+2"

    assert masked(text, spellings(["EA/1", "EA/1+2", ""])) == b"[token] [token] [token] [token]"


def test_media_get_our_address_at_any_depth() -> None:
    media = {"id": "1", "url": "https://lookaside/?mid=1", "mime_type": "image/png", "file_size": 20**20}

    text = with_own_addresses(
        json.dumps({"a": [{"b": media}], "c": media}).encode(), "https://ours/{}".format, str, HOSTS
    )

    ours = {**media, "url": "https://ours/1"}
    assert json.loads(text) == {"a": [{"b": ours}], "c": ours}


def test_an_address_at_metas_host_alone_is_ours_or_left_out() -> None:
    url = "https://lookaside.fbsbx.com/x"
    document = [
        {"url": url, "id": "1"},
        {"url": url},
        {"url": "https://fbsbx.com.test/"},
        {"url": "http://[", "id": 2},
    ]

    text = with_own_addresses(json.dumps(document).encode(), "https://ours/{}".format, str, HOSTS)

    assert json.loads(text) == [{"url": "https://ours/1", "id": "1"}, {}, *document[2:]]


def test_an_answer_that_names_metas_host_and_cannot_be_read_is_not_passed_back() -> None:
    text = b'{"url":"https://lookaside.fbsbx.com/x","id":' + b"1" * 5000 + b"}"

    with pytest.raises(UnreadableAnswer):
        with_own_addresses(text, str, str, HOSTS)


def test_the_next_and_the_previous_page_get_our_address_at_any_depth() -> None:
    paging = {"next": "https://meta/2", "previous": "https://meta/1", "cursors": {"after": "https://meta/3"}}
    document = {"data": [], "paging": paging, "a": {"paging": {"next": None}}, "b": {"paging": 1}}

    text = with_own_addresses(json.dumps(document).encode(), str, lambda url: url.replace("meta", "ours"), HOSTS)

    paging |= {"next": "https://ours/2", "previous": "https://ours/1"}
    assert json.loads(text) == document


@pytest.mark.parametrize(
    "text",
    [
        b'{"url":  "https://a", "id": "1"}',
        b'{"mime_type": "a", "id":"1"}',
        b'"mime_type" is no JSON',
        b'["mime_type" ]',
    ],
)
def test_any_other_text_stays_as_it_is(text: bytes) -> None:
    told = with_own_addresses(text, str, str, HOSTS)

    assert told == text or json.loads(told) == json.loads(text)


@given(st.lists(st.binary(max_size=9)), st.integers(0, 40), st.integers(1, 9))
def test_no_piece_of_a_file_has_a_token_wherever_it_is_cut(noise: list[bytes], at: int, size: int) -> None:
    plain = b"".join(noise)
    file = plain[:at] + b"EAAsecret/1" + plain[at:]
    pieces = [file[start : start + size] for start in range(0, len(file), size)]

    passed_on = b"".join(chunks_without_tokens(pieces, "EAAsecret/1"))

    assert len(passed_on) == len(file)
    assert b"EAAsecret/1" not in passed_on
    assert passed_on.replace(b"*" * 11, b"EAAsecret/1") == file or b"*" in plain


def test_a_file_of_a_gateway_without_tokens_is_passed_on_as_it_is() -> None:
    assert list(chunks_without_tokens([b"ab", b"c"])) == [b"ab", b"c"]


def test_the_end_of_a_file_is_passed_on_though_a_token_begins_so() -> None:
    assert list(chunks_without_tokens([b"ab", b"EA", b"A"], "EAAsecret")) == [b"ab", b"EAA"]


@pytest.mark.parametrize(
    ("start", "is_json"),
    [
        (b' \n{ "a"', True),
        (b"\xef\xbb\xbf[{", True),
        (b"{}", True),
        (b"[]", True),
        (b"{\\rtf1", False),
        (b"<svg", False),
        (b"\x89PNG", False),
        (b"", False),
    ],
)
def test_json_is_known_by_its_beginning(start: bytes, is_json: bool) -> None:
    assert begins_as_json(start) is is_json
