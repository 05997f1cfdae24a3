"""Whom a message is for: phone numbers in any spelling, groups, user ids."""

from typing import Any

import pytest

from tests.support.payload_samples import GROUP, SAMPLES, TO
from tests.support.payloads import accepted, problems_of, text

USER_ID = "DE.13491208655302741918"


@pytest.mark.parametrize(
    "written",
    [
        TO,
        "491701234567",
        "+49 170 1234567",
        "+49-170-123.45.67",
        "+49 (170) 1234567",
        "49\u00a0170\u202f1234567",
        " +491701234567 ",
    ],
)
def test_a_phone_number_is_sent_in_one_spelling(written: str) -> None:
    payload = accepted(text(to=written))

    assert (payload.to, payload.body["to"]) == (TO, TO)


@pytest.mark.parametrize("number", ["+12345", "+123456789012345"])
def test_a_phone_number_has_5_to_15_digits(number: str) -> None:
    assert accepted(text(to=number)).to == number


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("00491701234567", "write `+` in the place of the leading `00`"),
        ("0170 1234567", "write the country code in the place of the leading `0`"),
        ("+0170 1234567", "write the country code in the place of the leading `0`"),
        (USER_ID, "a user id belongs in `recipient`"),
        (GROUP, "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`"),
        ("1234", "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`"),
        (
            "+1234567890123456",
            "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`",
        ),
        (
            "++491701234567",
            "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`",
        ),
        (
            "٤٩١٧٠١٢٣٤٥٦٧",
            "for a group, set `recipient_type` to `group`; for a person write for example `+491701234567`",
        ),
    ],
)
def test_what_is_no_phone_number_is_refused_with_what_to_write(written: str, hint: str) -> None:
    [problem] = problems_of(text(to=written))

    assert (problem.pointer, problem.hint) == ("/to", hint)


@pytest.mark.parametrize("written", ["", "  ", "x" * 257, 491701234567, True, [], {"to": TO}])
def test_what_is_no_text_is_refused_once(written: Any) -> None:
    [problem] = problems_of(text(to=written))

    assert problem.pointer == "/to"


def test_somebody_must_be_named() -> None:
    [problem] = problems_of({"type": "text", "text": {"body": "hi"}})

    assert (problem.pointer, problem.hint) == ("/to", "write the phone number in `to`, or a user id in `recipient`")


def test_a_user_id_is_enough() -> None:
    payload = accepted(SAMPLES["user id"])

    assert (payload.to, payload.recipient) == (None, USER_ID)
    assert "to" not in payload.body


def test_phone_and_user_id_may_stand_together() -> None:
    payload = accepted(text(recipient=USER_ID))

    assert (payload.to, payload.recipient, payload.body["recipient"]) == (TO, USER_ID, USER_ID)


def test_a_groups_id_is_sent_as_it_is() -> None:
    payload = accepted(SAMPLES["group"])

    assert (payload.to, payload.is_group, payload.body["recipient_type"]) == (GROUP, True, "group")


@pytest.mark.parametrize("to", [TO, "491701234567", "a group", ""])
def test_a_group_needs_the_id_of_a_group(to: str) -> None:
    [problem] = problems_of(text(to=to, recipient_type="group"))

    assert problem.pointer == "/to"


def test_a_group_is_not_named_by_a_user_id() -> None:
    [problem] = problems_of({**SAMPLES["user id"], "recipient_type": "group"})

    assert (problem.pointer, problem.message) == ("/to", "is required: a message to a group")


def test_the_identity_of_a_group_cannot_be_checked() -> None:
    [problem] = problems_of({**SAMPLES["group"], "recipient_identity_key_hash": "DF2lS5v2W6x="})

    assert problem.pointer == "/recipient_identity_key_hash"


@pytest.mark.parametrize("written", ["49 170 1234567", "00491701234567", "0170", "XX.FAKE0000", "anything"])
def test_a_client_of_metas_api_writes_the_recipient_as_it_likes(written: str) -> None:
    assert accepted(text(to=written), as_sent_to_meta=True).body["to"] == written


def test_the_phone_number_of_a_client_of_metas_api_is_stored_in_one_spelling_too() -> None:
    assert accepted(text(to="49 170 1234567"), as_sent_to_meta=True).to == TO
    assert accepted(text(to="anything"), as_sent_to_meta=True).to == "anything"


def test_a_client_of_metas_api_may_write_the_number_as_a_number() -> None:
    payload = accepted(text(to=491701234567), as_sent_to_meta=True)

    assert (payload.to, payload.body["to"]) == (TO, 491701234567)


@pytest.mark.parametrize("to", [None, pytest.param(10**6000, id="huge"), -1, True, 1.5, [], {}])
def test_a_client_of_metas_api_must_name_somebody(to: Any) -> None:
    assert {problem.pointer for problem in problems_of(text(to=to), as_sent_to_meta=True)} == {"/to"}
