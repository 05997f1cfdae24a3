"""Checking a message before it is stored: what is sent, and how mistakes are told."""

from typing import Any

import pytest

from app.domain.meta.payloads.check import MAX_PROBLEMS, Payload, PayloadProblem, check_payload, text_payload
from tests.support.payloads import accepted, problems_of, text, with_value


def test_a_text_is_sent_as_it_was_written_with_what_meta_requires() -> None:
    body = {"to": "+491701234567", "type": "text", "text": {"body": "Two\nlines ", "preview_url": True}}

    payload = accepted(body)

    assert payload.body == {"messaging_product": "whatsapp", "recipient_type": "individual", **body}
    assert (payload.kind, payload.is_group, payload.is_window_exempt) == ("text", False, False)


def test_the_clients_body_stays_as_it_is() -> None:
    body = text(to="49 170 1234567", biz_opaque_callback_data="order-7")

    accepted(body)

    assert body == text(to="49 170 1234567", biz_opaque_callback_data="order-7")


def test_the_clients_tracker_and_sender_are_not_sent_but_reported() -> None:
    payload = accepted(text(biz_opaque_callback_data="order-7", **{"from": "106540352242922"}))

    assert (payload.tracker, payload.sender) == ("order-7", "106540352242922")
    assert {"biz_opaque_callback_data", "from"} & payload.body.keys() == set()


def test_a_number_that_customers_see_names_no_sender() -> None:
    [problem] = problems_of(text(**{"from": "+1 555 123 4567"}))

    assert (problem.pointer, problem.hint) == ("/from", "a phone number id, not the number that customers see")


def test_all_mistakes_are_reported_at_once() -> None:
    body = {"to": "0049170", "type": "text", "text": {"body": " ", "preview_url": "yes"}, "colour": "red"}

    assert {problem.pointer for problem in problems_of(body)} == {"/to", "/text/body", "/text/preview_url", "/colour"}


def test_no_more_mistakes_are_reported_than_a_reader_can_use() -> None:
    body = text(**{f"field{number}": number for number in range(1000)})

    assert len(problems_of(body)) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("key", "pointer"),
    [
        ("a/b", "/a~1b"),
        ("a~b", "/a~0b"),
        ("", "/"),
        ("é", "/é"),
        ("x\ty", "/x\\ty"),
        ("k" * 5000, "/" + "k" * 100 + "…"),
    ],
)
def test_a_pointer_is_a_json_pointer_that_can_be_printed(key: str, pointer: str) -> None:
    [problem] = problems_of(text(**{key: 1}))

    assert problem.pointer == pointer


@pytest.mark.parametrize(
    ("written", "meant"),
    [("preview_ulr", "preview_url"), ("previewUrl", "preview_url"), ("Body", "body"), ("PREVIEW_URL", "preview_url")],
)
def test_an_unknown_key_is_refused_with_the_nearest_one(written: str, meant: str) -> None:
    problems = problems_of({**text(), "text": {"body": "hi", written: False}})

    assert (
        PayloadProblem(f"/text/{written}", "is not a field that is allowed here", f"did you mean `{meant}`?")
        in problems
    )


def test_a_key_that_is_near_to_none_is_refused_with_those_that_there_are() -> None:
    [problem] = problems_of({**text(), "text": {"body": "hi", "xyz": 1}})

    assert problem.hint == "known here: `body`, `preview_url`"


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_what_is_no_object_is_refused(body: Any) -> None:
    [problem] = problems_of(body)

    assert problem.pointer == ""


def test_a_client_of_metas_api_may_be_newer_than_the_gateway() -> None:
    body = {"to": "1 650 555 1234", "type": "hologram", "hologram": {"id": "1"}, "priority": "high"}

    payload = check_payload(body, as_sent_to_meta=True)

    assert isinstance(payload, Payload)
    assert payload.kind == "hologram"
    assert payload.body == {"messaging_product": "whatsapp", "recipient_type": "individual", **body}


def test_a_client_of_metas_api_may_leave_the_type_out_of_a_text() -> None:
    payload = check_payload({"to": "16505551234", "text": {"body": "hi"}}, as_sent_to_meta=True)

    assert isinstance(payload, Payload)
    assert payload.kind == "text"
    assert "type" not in payload.body


def test_limits_hold_for_a_client_of_metas_api_too() -> None:
    checked = check_payload(text(body="x" * 4097), as_sent_to_meta=True)

    assert [problem.pointer for problem in checked if isinstance(problem, PayloadProblem)] == ["/text/body"]


def test_the_short_form_is_a_text() -> None:
    assert text_payload({"to": "+491701234567", "text": "hi", "previewUrl": True}) == check_payload(
        {"to": "+491701234567", "type": "text", "text": {"body": "hi", "preview_url": True}}
    )


def test_the_short_form_needs_no_preview() -> None:
    assert text_payload({"to": "+491701234567", "text": "hi"}) == check_payload(text(body="hi"))


def test_mistakes_of_the_short_form_are_reported_where_its_client_made_them() -> None:
    problems = text_payload({"to": 1, "text": "", "previewUrl": "yes"})

    assert not isinstance(problems, Payload)
    assert [problem.pointer for problem in problems] == ["/to", "/text", "/previewUrl"]


def test_the_short_form_reports_as_many_mistakes_as_a_message() -> None:
    problems = text_payload(dict.fromkeys(map(str, range(MAX_PROBLEMS + 1)), 1))

    assert len(problems) == MAX_PROBLEMS
    assert not isinstance(problems, Payload)


@pytest.mark.parametrize(
    ("name", "pointer", "value"),
    [
        ("document", "/document/filename", "x" * 1025),
        ("location", "/location/address", "x" * 1025),
        ("contacts", "/contacts/0/org/title", "x" * 1025),
        ("reaction", "/reaction/emoji", "ok"),
        ("interactive flow", "/interactive/action/parameters/flow_token", "x" * 201),
    ],
)
def test_a_limit_of_ours_does_not_hold_for_a_client_of_metas_api(name: str, pointer: str, value: str) -> None:
    body = with_value(name, pointer, value)

    assert [problem.pointer for problem in problems_of(body)] == [pointer]
    assert accepted(body, as_sent_to_meta=True).warnings == ()


def test_a_warning_is_given_to_a_client_of_metas_api_too() -> None:
    body = with_value("image", "/image/link", "http://a.example/b")

    assert len(accepted(body, as_sent_to_meta=True).warnings) == 1
