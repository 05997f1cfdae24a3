"""Uploading: the file reaches Meta as the client has sent it, and what Meta would refuse does not get that far."""

import pytest

from app.graph.fake.fields import File
from tests.media.conftest import OTHER_NUMBER
from tests.media.forms import BOUNDARY, JPEG, field, file, form, upload
from tests.media.scripted_meta import UNKNOWN, ScriptedMeta
from tests.support.serving import Running
from tests.support.waiting import wait_for

NUMBER = "9876543210"
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("end", [b"\r\n", b"", b"\r\n an epilogue"], ids=["line break", "nothing", "epilogue"])
def test_a_file_reaches_meta_byte_for_byte(served: Running, meta: ScriptedMeta, end: bytes) -> None:
    answer = upload(served, form(file(), end=end))

    assert (answer.status, answer.json["id"], answer.json["size"]) == (201, "1234567", len(JPEG))
    [asked] = meta.asked_for("POST")
    assert asked.path == f"/v25.0/{NUMBER}/media"
    assert asked.parts == {
        "messaging_product": "whatsapp",
        "type": "image/jpeg",
        "file": File("a.jpg", "image/jpeg", JPEG),
    }
    assert answer.headers["Location"] == "/api/media/1234567"


def test_the_number_is_chosen_by_a_field_before_the_file(served: Running, meta: ScriptedMeta) -> None:
    answer = upload(served, form(field("from", OTHER_NUMBER), file()))

    assert answer.json["phoneNumberId"] == OTHER_NUMBER
    assert meta.asked_for("POST")[0].path == f"/v25.0/{OTHER_NUMBER}/media"


def test_the_parameters_of_a_type_are_kept(served: Running, meta: ScriptedMeta) -> None:
    upload(served, form(file(b"OggS", "audio/ogg; codecs=opus", "voice.ogg")))

    assert meta.asked_for("POST")[0].parts["type"] == "audio/ogg; codecs=opus"


@pytest.mark.parametrize("told", [None, "application/octet-stream"])
def test_without_a_type_that_of_the_name_is_taken(served: Running, meta: ScriptedMeta, told: str | None) -> None:
    answer = upload(served, form(file(b"%PDF", told, "offer.PDF")))

    assert answer.json["mimeType"] == "application/pdf"


REFUSED = {
    "a type that Meta does not take": (form(file(b"x", "audio/webm", "a.webm")), "/file", "audio/webm"),
    "no type at all": (form(file(b"x", None, "unknown")), "/file", "has no type"),
    "no media type": (form(file(b"x", "jpeg")), "/file", "no media type"),
    "an empty file": (form(file(b"")), "/file", "is empty"),
    "no file": (form(field("from", NUMBER)), "/file", "is missing"),
    "no part": (form(), "/file", "is missing"),
    "no filename": (form(file(filename=None)), "/file", "no filename"),
    "two files": (form(file(), file()), "/file", "one file"),
    "a field after the file": (form(file(), field("from", NUMBER)), "/from", "Follows the file"),
    "a file of another name": (form(file(name="picture")), "/picture", "not known here"),
    "an unknown field": (form(field("caption", "x"), file()), "/caption", "not known here"),
    "a field twice": (form(field("from", NUMBER), field("from", NUMBER), file()), "/from", "twice"),
    "a long field": (form(field("from", "1" * 5000), file()), "/from", "longer than"),
    "another's number": (form(field("from", "1"), file()), "/from", "phone number id"),
    "two numbers": (form(field("from", NUMBER), field("phoneNumberId", OTHER_NUMBER), file()), "/from", "phone"),
    "a field that is no text": (form(field("from", "x").replace(b"x\r", b"\xff\r"), file()), "/from", "UTF-8"),
}


@pytest.mark.parametrize(("body", "pointer", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_form_is_refused_with_its_mistake(
    served: Running, meta: ScriptedMeta, body: bytes, pointer: str, reason: str
) -> None:
    answer = upload(served, body)

    assert answer.status == 422
    assert answer.wrong[0] == pointer
    assert reason in answer.wrong[1].replace("Is ", "is ").replace("Has ", "has ")
    assert not any(asked.is_whole for asked in meta.asked_for("POST"))


UNREADABLE = {
    "cut short": (form(file())[:-20], {}, 400, "invalid_body"),
    "no multipart": (b"{}", {"Content_Type": "application/json"}, 415, "unsupported_media_type"),
    "no boundary": (form(file()), {"Content_Type": "multipart/form-data"}, 400, "invalid_body"),
    "another boundary": (form(file()), {"Content_Type": "multipart/form-data; boundary=x"}, 400, "invalid_body"),
    "a head without an end": (f"--{BOUNDARY}\r\n".encode() + b"X: y\r\n" * 50_000, {}, 400, "invalid_body"),
    "too many parts": (form(*(field("type", "a/b") for _ in range(40)), file()), {}, 422, "invalid_fields"),
    "a long epilogue": (form(file(), end=b"x" * 2000), {}, 400, "invalid_body"),
    "no type of a body": (form(file()), {"Content_Type": ""}, 415, "unsupported_media_type"),
    "a head that is no text": (form(file()).replace(b"a.jpg", b"\xff\xfe"), {}, 400, "invalid_body"),
}


@pytest.mark.parametrize(("body", "headers", "status", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_is_no_such_form_is_refused(
    served: Running, meta: ScriptedMeta, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = upload(served, body, **headers)

    assert (answer.status, answer.error["code"]) == (status, code)
    assert not any(asked.is_whole for asked in meta.asked_for("POST"))


def test_without_a_length_the_answer_says_what_is_needed(served: Running, meta: ScriptedMeta) -> None:
    answer = upload(served, iter([form(file())]))

    assert (answer.status, answer.error["code"]) == (411, "length_required")
    assert "Content-Length" in answer.error["message"]


def test_a_file_over_the_limit_of_its_type_is_refused_before_meta_is_called(
    served: Running, meta: ScriptedMeta
) -> None:
    answer = upload(served, form(file(bytes(5 * MEGABYTE + 2000))))

    assert (answer.status, answer.error["code"]) == (413, "body_too_large")
    assert "image/jpeg" in answer.error["message"]
    assert meta.asked == []


def test_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(served: Running, meta: ScriptedMeta) -> None:
    limit = upload(served, form(file(bytes(500 * 1024), "image/webp", "a.webp")))
    over = upload(served, form(file(bytes(500 * 1024 + 1), "image/webp", "a.webp")))

    assert (limit.status, over.status) == (201, 413)
    wait_for(lambda: len(meta.asked_for("POST")) == 2)
    assert meta.asked_for("POST")[0].is_whole


def test_a_body_over_every_limit_is_refused_by_its_declared_length(served: Running, meta: ScriptedMeta) -> None:
    answer = upload(served, b"", Content_Length=str(200 * MEGABYTE))

    assert (answer.status, answer.error["code"]) == (413, "body_too_large")


ANSWERS = {
    "a page of an edge": (502, b"<html>", "text/html", 503, "meta_unavailable"),
    "half an answer": (200, b'{"id":', "application/json", 503, "meta_unavailable"),
    "no id": (200, {"success": True}, "application/json", 503, "meta_unavailable"),
    "a refused file": (400, {"error": {"code": 100, "message": "Param file"}}, "", 422, "media_refused"),
    "a dead token": (401, {"error": {"code": 190, "message": "expired"}}, "", 502, "meta_refused"),
    "a wrong number": (400, UNKNOWN, "", 502, "meta_refused"),
    # the last one, because no call is made for a minute after it
    "a limit": (429, {"error": {"code": 80007, "message": "limit"}}, "", 503, "meta_unavailable"),
}


@pytest.mark.parametrize(("status", "body", "mime", "ours", "code"), ANSWERS.values(), ids=ANSWERS)
def test_what_meta_answers_to_an_upload_becomes_an_error_of_ours(
    served: Running, meta: ScriptedMeta, status: int, body: object, mime: str, ours: int, code: str
) -> None:
    meta.will_answer(status, body, mime or "application/json")

    answer = upload(served, form(file()))

    assert (answer.status, answer.error["code"]) == (ours, code)
    assert "access-token" not in answer.body.decode()


def test_a_token_without_the_scope_uploads_nothing(served: Running, meta: ScriptedMeta) -> None:
    refused = upload(served, form(file()), token="TEST_READER_TOKEN")

    assert refused.status == 403
    assert meta.asked == []
