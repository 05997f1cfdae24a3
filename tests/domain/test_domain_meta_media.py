"""Media in Meta's JSON, the types that Meta takes, and when a file is fetched again."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.job import Dead, Retry
from app.domain.media_file import MAX_UNKNOWN, FileState, MediaFile, after_failure
from app.domain.meta.media import UNKNOWN_TYPE, Media, media_in, media_of, with_media_urls
from app.domain.meta.media_types import bare, extension_of, hint_for, is_mime_type, limit_of, type_of_name

DIGEST = hashlib.sha256(b"abc")
MEGABYTE = 1024 * 1024
NOW = datetime(2026, 11, 27, tzinfo=UTC)
FILE = MediaFile(
    1, "1", None, 1, FileState.WAITING, "image/jpeg", None, None, None, None, 0, None, created_at=NOW, updated_at=NOW
)


def test_a_file_of_a_webhook_and_of_an_answer_are_read_alike() -> None:
    common = {"id": "1", "mime_type": "audio/ogg; codecs=opus", "url": "https://x/y"}

    webhook = media_of({**common, "sha256": base64.b64encode(DIGEST.digest()).decode()})
    answer = media_of({**common, "sha256": DIGEST.hexdigest().upper(), "file_size": "12"})

    assert webhook == Media("1", "audio/ogg; codecs=opus", DIGEST.hexdigest(), None, "https://x/y")
    assert answer == Media("1", "audio/ogg; codecs=opus", DIGEST.hexdigest(), 12, "https://x/y")


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"id": None}, {"id": ""}, {"id": "../1"}, {"id": "a/b"}, {"id": "1" * 65}, {"id": True}],
)
def test_what_has_no_id_is_no_file(document: Any) -> None:
    assert media_of(document) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"sha256": 1, "file_size": -1, "mime_type": "no type", "url": "has blanks in it", "filename": 1},
        {"sha256": "zz", "file_size": "x", "mime_type": 1, "url": ["x"]},
        {"sha256": "YWJj", "file_size": True, "mime_type": "image/jpeg\n", "url": "x" * 2001},
        {"sha256": "é", "file_size": 1.5, "mime_type": None, "url": "\0"},
    ],
)
def test_what_is_odd_about_a_file_is_not_known(odd: dict[str, Any]) -> None:
    assert media_of({"id": 17, **odd}) == Media("17", UNKNOWN_TYPE)


def test_a_name_is_kept_printable_and_short() -> None:
    media = media_of({"id": "1", "filename": "a\x00b\n" + "c" * 300})

    assert media is not None
    assert media.filename == "a_b_" + "c" * 196


def test_every_file_of_an_item_is_found_whatever_is_around_it() -> None:
    image, other = {"id": "1", "mime_type": "image/jpeg"}, {"id": "2", "mime_type": "image/png"}
    raw = {"type": "edit", "edit": {"message": {"image": image}}, "list": [1, {"media": other}], "id": "wamid.1"}

    assert [media.id for media in media_in(raw)] == ["1", "2"]
    assert list(media_in("text")) == list(media_in({"id": "1"})) == []


def test_an_item_that_is_nested_without_end_is_looked_at_to_a_depth() -> None:
    deep: Any = {"id": "1", "mime_type": "image/jpeg"}
    for _ in range(2000):
        deep = [deep]

    assert list(media_in(deep)) == []


def test_urls_of_media_are_replaced_or_left_out_and_others_stay() -> None:
    image = {"id": "1", "mime_type": "image/jpeg", "url": "https://lookaside.fbsbx.com/1"}
    raw = {"image": image, "context": [{"url": "https://example.com"}], "text": "x"}

    ours = with_media_urls(raw, lambda media_id: f"https://wats/{media_id}")
    none = with_media_urls(raw, lambda _: None)

    assert ours == {**raw, "image": {**image, "url": "https://wats/1"}}
    assert none == {**raw, "image": {"id": "1", "mime_type": "image/jpeg"}}
    assert with_media_urls({"image": {**image, "id": "../1"}}, str)["image"] == {
        "id": "../1",
        "mime_type": "image/jpeg",
    }


def test_an_item_without_media_is_the_same_object() -> None:
    raw = {"text": {"body": "hi"}}

    assert with_media_urls(raw, str) is raw


@pytest.mark.parametrize(
    ("mime_type", "limit"),
    [
        ("image/jpeg", 5 * MEGABYTE),
        ("IMAGE/PNG", 5 * MEGABYTE),
        ("image/webp", 500 * 1024),
        ("video/3gpp", 16 * MEGABYTE),
        ("audio/ogg; codecs=opus", 16 * MEGABYTE),
        ("application/pdf", 100 * MEGABYTE),
        ("text/csv", 100 * MEGABYTE),
        ("audio/webm", None),
        ("image/gif", None),
        ("application/octet-stream", None),
    ],
)
def test_each_type_has_its_limit(mime_type: str, limit: int | None) -> None:
    assert limit_of(mime_type) == limit


def test_types_names_and_extensions_lead_to_each_other() -> None:
    assert type_of_name("Photo.JPEG") == "image/jpeg"
    assert type_of_name("no extension") is None
    assert extension_of("audio/ogg; codecs=opus") == ".ogg"
    assert extension_of("text/csv") == ""
    assert bare(" Image/PNG ; a=b") == "image/png"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("image/jpeg", True),
        ('audio/ogg; codecs="opus"', True),
        ("image", False),
        ("image/jpeg\r\nX: y", False),
        ("a/b;", False),
        ("a/" + "b" * 300, False),
    ],
)
def test_what_is_a_media_type(text: str, is_one: bool) -> None:
    assert is_mime_type(text) is is_one


def test_a_hint_names_what_may_be_sent_instead() -> None:
    assert hint_for("audio/webm") == "a voice message is audio/ogg; codecs=opus"
    assert hint_for("image/gif") == "one of image/jpeg, image/png, image/webp"
    assert "application/pdf" in hint_for("application/octet-stream")
    assert "image/png" in hint_for("font/woff")


def test_a_file_is_tried_again_while_meta_may_have_it() -> None:
    early = after_failure(FILE, 0, "no answer", NOW, 0.5)
    late = after_failure(FILE, 20, "no answer", NOW + timedelta(days=6, hours=13), 0.5)

    assert early == Retry(timedelta(seconds=5))
    assert late == Dead("no answer; Meta keeps received media for 7 days")


def test_a_file_that_meta_does_not_know_is_given_up_soon() -> None:
    outcomes = [after_failure(FILE, n, "unknown", NOW, 0.5, is_unknown=True) for n in range(MAX_UNKNOWN)]

    assert [type(outcome) for outcome in outcomes] == [Retry] * (MAX_UNKNOWN - 1) + [Dead]
