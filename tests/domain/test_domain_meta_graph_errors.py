"""Errors of the Graph API: both shapes are read, and each code of Meta's pages has its class and its scope."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.meta.graph_error_table import BY_CODE, BY_SUBCODE, UNLISTED_TRIES, hint_of, rule_for, rule_in_status
from app.domain.meta.graph_errors import (
    ErrorClass,
    ErrorRule,
    ErrorScope,
    GraphError,
    error_of_answer,
    errors_of_item,
    graph_error,
)

ANSWER = {
    "error": {
        "message": "(#131030) Recipient phone number not in allowed list",
        "type": "OAuthException",
        "code": 131030,
        "error_data": {"messaging_product": "whatsapp", "details": "Add the number to the list"},
        "error_user_title": "Not allowed",
        "error_user_msg": "This number is not allowed",
        "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUvW",
        "is_transient": False,
        "unheard_of": 1,
    }
}
IN_A_STATUS = {
    "code": 131053,
    "title": "Media upload error",
    "message": "Media upload error",
    "error_data": {"details": "Unsupported Audio mime type"},
    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
}

LISTED = {
    "stopped app": (0, 3, 10, 104, 190, 200, 250, 299),
    "stopped waba": (368, 131005, 131031, 131042),
    "stopped number": (33, 803, 131037, 131045, 133010),
    "throttled app": (4, 17, 32, 613),
    "throttled waba": (80007, 80008),
    "throttled number": (130429, 131208),
    "cooled number": (131048,),
    "cooled waba": (131064,),
    "pair_throttled pair": (131056,),
    "parked contact": (131049,),
    "parked flow": (132069,),
    "parked number": (133015,),
    "parked template": (134101, 134102),
    "transient message": (1, 131000, 133004),
    "transient app": (2,),
    "transient waba": (131016, 131057),
    "transient number": (2494100,),
    "content message": (131047, 131051, 131053, 131055, 131062, 131063, 134100),
    "content waba": (139200,),
    "recipient contact": (
        *(131026, 131050, 130403, 130472, 130497, 131021, 131030, 137000, 1026, 2040, 131020, 131041, 131207),
    ),
    "request message": (
        *(100, 131008, 131009, 132000, 132005, 132007, 132008, 132012, 132018, 132021, 135000, 2046, 2047),
    ),
    "request template": (132001, 132015, 132016),
    "request flow": (132068,),
    "request waba": (134011,),
    "request number": (131215,),
    "unrelated number": (131044,),
    "unrelated message": (133016, 133005, 138006, 139101, 139103, 147001, 2388040),
}
CODES = [(code, *expected.split()) for expected, codes in LISTED.items() for code in codes]


def test_a_code_has_one_cure_in_each_class() -> None:
    rules = [*BY_CODE.items(), *((code, rule) for (code, _), rule in BY_SUBCODE.items())]

    assert [code for code, rule in rules if hint_of(code, rule.error_class) != rule.hint] == []


def answered(code: int, **more: Any) -> GraphError:
    error = error_of_answer({"error": {"code": code, "message": "said", **more}})
    assert error is not None
    return error


def test_the_error_of_an_answer_is_read_and_kept_as_it_came() -> None:
    error = error_of_answer(ANSWER)

    assert error == GraphError(
        131030,
        message="(#131030) Recipient phone number not in allowed list",
        details="Add the number to the list",
        trace_id="AbCdEfGhIjKlMnOpQrStUvW",
        verbatim=ANSWER["error"],
    )
    assert error.summary == "131030: Add the number to the list"


def test_further_fields_are_kept_unless_they_are_large_ours_or_about_a_token() -> None:
    odd = {
        "access_token": "x",
        "debug": {"url": "https://x?access_token=y"},
        "who": "EAAB",
        "httpStatus": "x",
        "tries": None,
    }

    assert answered(1, **odd, new=[1]).verbatim == {"code": 1, "message": "said", "new": [1]}
    assert answered(1, new="x" * 5000).verbatim == {"code": 1, "message": "said"}


def test_the_errors_of_a_status_have_another_shape() -> None:
    [error] = errors_of_item({"status": "failed", "errors": [IN_A_STATUS, "nonsense", {}]})

    assert (error.code, error.message, error.details) == (
        131053,
        "Media upload error",
        "Unsupported Audio mime type",
    )
    assert error.verbatim == IN_A_STATUS


def test_codes_may_be_strings_of_digits() -> None:
    error = graph_error({"code": "131056", "error_subcode": "2494071"})

    assert error == GraphError(131056, 2494071, verbatim={"code": "131056", "error_subcode": "2494071"})
    assert error is not None
    assert error.summary == "131056/2494071"


def test_details_may_be_a_plain_text() -> None:
    assert answered(100, error_data="(#100) Param to is not valid").details == "(#100) Param to is not valid"
    assert answered(100, error_user_msg="Say it otherwise").details == "Say it otherwise"


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "error",
        {},
        {"error": None},
        {"error": "unauthorized"},
        {"error": {"message": "no code"}},
        {"error": {"code": "E42"}},
        {"error": {"code": True}},
        {"error": {"code": 1.5}},
        {"error": {"code": "9" * 40}},
    ],
)
def test_what_has_no_code_is_no_word_of_the_graph_api(document: object) -> None:
    assert error_of_answer(document) is None


@pytest.mark.parametrize("item", [None, {}, {"errors": None}, {"errors": {"code": 1}}])
def test_an_item_without_a_list_of_errors_has_none(item: object) -> None:
    assert [*errors_of_item(item)] == []


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
    | st.dictionaries(st.text(), st.text())
)
def test_nothing_that_stands_in_a_body_breaks_the_reading(document: Any) -> None:
    error_of_answer(document)
    error_of_answer({"error": {"code": 1, "error_data": document, "message": document, "is_transient": document}})


@pytest.mark.parametrize(("code", "error_class", "scope"), CODES)
def test_each_code_has_its_class_and_its_scope(code: int, error_class: str, scope: str) -> None:
    for rule in (rule_for(answered(code), 400), rule_in_status(answered(code))):
        assert (rule.error_class, rule.scope) == (ErrorClass(error_class), ErrorScope(scope))


def test_what_ends_a_message_is_told_apart_from_what_delays_it() -> None:
    delays = {"transient", "throttled", "cooled", "pair_throttled", "parked", "stopped"}

    assert {rule.error_class for rule in BY_CODE.values() if not rule.is_final} == delays
    assert {rule.error_class for rule in BY_CODE.values() if rule.is_final} == {
        *("content", "recipient", "request", "unrelated"),
    }


def test_what_stops_sending_says_what_a_human_is_to_do() -> None:
    assert [code for code, rule in BY_CODE.items() if rule.error_class == "stopped" and not rule.hint] == []


def test_an_id_that_does_not_exist_stops_the_number_and_fails_no_message() -> None:
    rule = rule_for(answered(100, error_subcode=33, type="GraphMethodException"), 400)

    assert (rule.error_class, rule.scope) == (ErrorClass.STOPPED, ErrorScope.NUMBER)
    assert rule.hint is not None
    assert "phone number id" in rule.hint
    assert "token" in rule.hint


@pytest.mark.parametrize(("code", "tries"), [(1, 3), (134102, 3), (131000, 10), (2, None)])
def test_some_errors_are_tried_a_few_times_only(code: int, tries: int | None) -> None:
    assert rule_for(answered(code), 500).max_tries == tries


@pytest.mark.parametrize("code", [131048, 131064, 130497, 131207, 134011, 131215, 139200, 131044])
def test_some_errors_need_a_human_although_sending_goes_on(code: int) -> None:
    assert rule_for(answered(code), 400).alerts


@pytest.mark.parametrize(
    ("code", "hours"), [(131049, 24), (132069, 1), (133015, 1 / 12), (134101, 1 / 6), (134102, 1 / 12)]
)
def test_a_parked_message_waits_as_long_as_its_code_asks(code: int, hours: float) -> None:
    assert rule_for(answered(code), 400).pause == timedelta(hours=hours)


def test_a_wrong_value_may_be_a_template_that_is_not_synchronised_with_ads() -> None:
    rule = rule_for(answered(131009), 400, is_marketing=True)

    assert (rule.error_class, rule.max_tries, rule.pause) == (ErrorClass.PARKED, 2, timedelta(minutes=10))


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        (answered(100, error_data={"details": "Message must be a template message."}), ErrorClass.CONTENT),
        (answered(100, error_data={"details": "Unexpected key"}), ErrorClass.REQUEST),
        (answered(131008), ErrorClass.REQUEST),
    ],
)
def test_marketing_messages_take_templates_only(error: GraphError, error_class: ErrorClass) -> None:
    assert rule_for(error, 400, is_marketing=True).error_class is error_class


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (None, 429, BY_CODE[130429]),
        (answered(199999), 429, BY_CODE[130429]),
        (answered(199999), 400, ErrorRule(ErrorClass.OTHER)),
        (answered(199999), 500, ErrorRule(ErrorClass.TRANSIENT, max_tries=UNLISTED_TRIES)),
        (answered(199999, is_transient=True), 400, ErrorRule(ErrorClass.TRANSIENT, max_tries=UNLISTED_TRIES)),
        (answered(100, is_transient=True), 500, BY_CODE[100]),
        (answered(3), 500, BY_CODE[3]),
        (answered(190, error_subcode=463), 401, BY_CODE[190]),
    ],
)
def test_the_status_counts_for_what_no_table_lists(
    error: GraphError | None, status: int, expected: ErrorRule
) -> None:
    assert rule_for(error, status) == expected


def test_an_unlisted_error_in_a_status_changes_no_scope() -> None:
    assert rule_in_status(answered(199999, is_transient=True)) == ErrorRule(ErrorClass.OTHER)
