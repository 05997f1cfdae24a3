"""Downloading and deleting: a client gets the right file or sees that it does not, and a browser runs none of it."""

import http.client
import json

import pytest

from app.domain.meta.media_types import MAX_MEDIA_BYTES
from app.graph.media import may_hold_media
from tests.media.forms import JPEG, ask
from tests.media.scripted_meta import FileAtMeta, ScriptedMeta
from tests.support.serving import Running

ID = "1003383421387256"
LARGE = bytes(range(256)) * 1024
WHATSAPP = {"messaging_product": "whatsapp"}


def test_what_is_known_of_a_file_names_our_address_and_not_metas(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = file = FileAtMeta(JPEG)

    answer = ask(served, "GET", f"/media/{ID}")

    assert answer.json == {
        "id": ID,
        "mimeType": "image/jpeg",
        "size": len(JPEG),
        "sha256": file.sha256,
        "url": f"/api/media/{ID}/content",
        "stored": False,
    }


def test_a_file_comes_whole_and_is_never_rendered(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = file = FileAtMeta(LARGE, "text/html")

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.body) == (200, LARGE)
    assert answer.headers["Content-Length"] == str(len(LARGE))
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{ID}"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["ETag"] == f'"{file.sha256}"'


def test_a_reader_may_download_and_not_delete(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = FileAtMeta(JPEG)

    reads = ask(served, "GET", f"/media/{ID}/content", token="TEST_READER_TOKEN")
    deletes = ask(served, "DELETE", f"/media/{ID}", token="TEST_READER_TOKEN")

    assert (reads.status, deletes.status) == (200, 403)


def test_a_client_that_has_the_file_does_not_get_it_again(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = file = FileAtMeta(JPEG)

    same = ask(served, "GET", f"/media/{ID}/content", If_None_Match=f'"{file.sha256}"')
    head = ask(served, "HEAD", f"/media/{ID}/content")

    assert (same.status, same.body) == (304, b"")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(JPEG)))
    assert meta.asked_for("GET", "/file/") == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_address_that_is_over_is_asked_for_again(served: Running, meta: ScriptedMeta, status: int) -> None:
    meta.files[ID] = FileAtMeta(JPEG)
    told = {**WHATSAPP, "id": ID, "mime_type": "image/jpeg", "url": f"{meta.url}/file/{ID}"}
    meta.will_answer(200, told)
    meta.will_answer(status, b"<html>", "text/html")

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.body) == (200, JPEG)
    assert len(meta.asked_for("GET", "/file/")) == 2


def test_a_page_in_the_place_of_the_file_is_no_file(served: Running, meta: ScriptedMeta) -> None:
    told = {**WHATSAPP, "id": ID, "mime_type": "image/jpeg", "url": f"{meta.url}/file/{ID}"}
    for _ in range(2):
        meta.will_answer(200, told)
        meta.will_answer(200, b"<html>Sorry</html>", "text/html")

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.error["code"]) == (503, "meta_unavailable")


def test_a_small_file_that_is_damaged_is_an_error(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = FileAtMeta(JPEG, serves=JPEG[::-1])

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.error["code"]) == (503, "meta_unavailable")
    assert "SHA-256" in answer.error["message"]


@pytest.mark.parametrize("serves", [LARGE[::-1], LARGE[:-70_000]], ids=["damaged", "too short"])
def test_a_large_file_that_is_wrong_is_cut_before_its_end(served: Running, meta: ScriptedMeta, serves: bytes) -> None:
    meta.files[ID] = FileAtMeta(LARGE, told={"file_size": len(LARGE)}, serves=serves)

    with pytest.raises(http.client.IncompleteRead):
        ask(served, "GET", f"/media/{ID}/content")


@pytest.mark.parametrize("is_right", [True, False])
def test_a_file_of_unknown_length_ends_as_a_whole_only_if_it_is_right(
    served: Running, meta: ScriptedMeta, is_right: bool
) -> None:
    serves = LARGE if is_right else LARGE[::-1]
    meta.files[ID] = FileAtMeta(LARGE, told={"file_size": None}, serves=serves, is_chunked=True)

    if is_right:
        assert ask(served, "GET", f"/media/{ID}/content").body == LARGE
    else:
        with pytest.raises(http.client.IncompleteRead):
            ask(served, "GET", f"/media/{ID}/content")


def test_a_file_over_every_limit_is_not_passed_on(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = FileAtMeta(size=MAX_MEDIA_BYTES + 64 * 1024, told={"sha256": None})

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.error["code"]) == (502, "meta_refused")


def test_the_addresses_that_may_get_metas_token_are_metas_own() -> None:
    graph, here = "https://graph.facebook.com/v25.0", "http://127.0.0.1:9000"
    may = ["https://lookaside.fbsbx.com/x?mid=1", "https://mmg.whatsapp.net:443/x", "https://graph.facebook.com/x"]
    may_not = [
        "https://evil-fbsbx.com/x",
        "https://fbsbx.com.example.com/x",
        "https://x@lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://lookaside.fbsbx.com\\@example.com/x",
        "https://lookaside.fbsbx.com/a b",
        "http://lookaside.fbsbx.com/x",
        "http://127.0.0.1/x",
        "https://[::1/x",
        "ftp://lookaside.fbsbx.com/x",
    ]

    assert [url for url in may if not may_hold_media(url, graph)] == []
    assert [url for url in may_not if may_hold_media(url, graph)] == []
    assert may_hold_media("http://127.0.0.1:8000/x", here)
    assert not may_hold_media("ftp://127.0.0.1/x", here)


@pytest.mark.parametrize("path", ["", "/content"])
def test_an_unknown_file_is_not_found(served: Running, meta: ScriptedMeta, path: str) -> None:
    answer = ask(served, "GET", f"/media/{ID}{path}")

    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert "Meta has no such file" in answer.error["message"]
    assert "hint" not in answer.error["details"]["error"]


@pytest.mark.parametrize("media_id", ["..%2f..%2fetc%2fpasswd", "%2e%2e", "a.b", "x" * 65, "1%00", "1%3Ffields=x"])
def test_an_id_with_a_path_in_it_reaches_nobody(served: Running, meta: ScriptedMeta, media_id: str) -> None:
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", ""), ("POST", "/fetch")):
        assert ask(served, method, f"/media/{media_id}{path}").status == 404
    assert meta.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/file",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com.example.com/x",
        "file:///",
    ],
)
def test_metas_token_goes_to_no_other_host(served: Running, meta: ScriptedMeta, url: str) -> None:
    meta.will_answer(200, {**WHATSAPP, "id": ID, "mime_type": "image/jpeg", "url": url})

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.error["code"]) == (503, "meta_unavailable")
    assert "not one of Meta's" in answer.error["message"]


def test_a_redirect_is_not_followed(served: Running, meta: ScriptedMeta) -> None:
    meta.files["2"] = FileAtMeta(JPEG)
    meta.will_answer(200, {**WHATSAPP, "id": ID, "mime_type": "image/jpeg", "url": f"{meta.url}/file/{ID}"})
    meta.will_answer(302, b"", "text/plain")

    answer = ask(served, "GET", f"/media/{ID}/content")

    assert (answer.status, answer.error["code"]) == (503, "meta_unavailable")
    assert "302" in answer.error["message"]


@pytest.mark.parametrize(
    ("status", "body", "ours", "code"),
    [(500, b"<html>", 503, "meta_unavailable"), (401, {"error": {"code": 190}}, 502, "meta_refused")],
)
def test_what_meta_answers_to_a_look_up_becomes_an_error_of_ours(
    served: Running, meta: ScriptedMeta, status: int, body: object, ours: int, code: str
) -> None:
    meta.will_answer(status, body)

    answer = ask(served, "GET", f"/media/{ID}")

    assert (answer.status, answer.error["code"]) == (ours, code)


def test_the_error_of_meta_stands_in_the_details_with_our_class_and_hint(served: Running, meta: ScriptedMeta) -> None:
    error = {"code": 190, "message": "expired", "fbtrace_id": "A"}
    meta.will_answer(401, {"error": error})

    told = ask(served, "GET", f"/media/{ID}").error["details"]["error"]

    assert (told["class"], {name: told[name] for name in error}) == ("stopped", error)
    assert "`auth.accessToken`" in told["hint"]


@pytest.mark.parametrize(
    "told", [{"id": ID, "name": "a flow"}, {"id": ID, "mime_type": "image/jpeg", "url": "https://example.com"}]
)
def test_what_is_no_file_is_neither_shown_nor_deleted(
    served: Running, meta: ScriptedMeta, told: dict[str, str]
) -> None:
    for _ in range(2):
        meta.will_answer(200, told)

    shown, deleted = ask(served, "GET", f"/media/{ID}"), ask(served, "DELETE", f"/media/{ID}")

    assert (shown.status, deleted.status, meta.asked_for("DELETE")) == (404, 404, [])
    assert "not that of a file" in deleted.error["message"]


def test_a_file_is_deleted_at_meta(served: Running, meta: ScriptedMeta) -> None:
    meta.files[ID] = FileAtMeta(JPEG)

    first, second = ask(served, "DELETE", f"/media/{ID}"), ask(served, "DELETE", f"/media/{ID}")

    assert (first.status, first.body, second.status) == (204, b"", 404)
    assert json.dumps(sorted(meta.files)) == "[]"
