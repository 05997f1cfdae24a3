"""What must hold between the components of a template, and between their parameters."""

from typing import Any

import pytest

from tests.support.payload_samples import TO
from tests.support.payload_templates import body, button, card, header, template
from tests.support.payloads import accepted, pointers, problems_of

IMAGE = {"id": "4490709327384033"}
CODE = {"type": "coupon_code", "coupon_code": "CRUMB"}
ENDING = {"type": "text", "text": "orders"}
PAYLOAD = {"type": "payload", "payload": "late"}


def sent(*components: Any, **more: Any) -> dict[str, Any]:
    return {"to": TO, "type": "template", "template": template(*components, **more)}


def carousel(*cards: Any) -> dict[str, Any]:
    return {"type": "carousel", "cards": list(cards)}


COMPONENTS = "/template/components"
NAMED = {"type": "text", "parameter_name": "a", "text": "A"}


@pytest.mark.parametrize(
    ("components", "pointer"),
    [
        ([body("a"), body("b")], "/1/type"),
        ([header("text", "a"), {**header("text", "b"), "type": "HEADER"}], "/1/type"),
        ([{"type": "footer"}], "/0/type"),
        ([{"type": "buttons"}], "/0/type"),
        ([{"type": "header", "parameters": []}], "/0/parameters"),
        ([{"type": "header", "parameters": [NAMED, NAMED]}], "/0/parameters"),
        ([header("image", {"id": "1", "link": "https://a.example"})], "/0/parameters/0/image"),
        ([header("image", {"id": "1", "caption": "a"})], "/0/parameters/0/image/caption"),
        ([header("audio", IMAGE)], "/0/parameters/0/type"),
        ([{"type": "body", "parameters": [NAMED, {"type": "text", "text": "b"}]}], "/0/parameters/1/parameter_name"),
        ([{"type": "body", "parameters": [NAMED, NAMED]}], "/0/parameters/1/parameter_name"),
        ([{"type": "body", "parameters": ["a"]}], "/0/parameters/0"),
        ([body("x" * 1025), header("text", "a")], "/0/parameters/0/text"),
        ([button("url", ENDING), button("quick_reply", PAYLOAD)], "/1/index"),
        ([button("copy_code", CODE, index=index) for index in (0, 1)], "/1/sub_type"),
        ([{"type": "button", "sub_type": "url", "parameters": [ENDING]}], "/0/index"),
        ([button("url")], "/0/parameters"),
        ([button("link", ENDING)], "/0/sub_type"),
        ([button("spm", ENDING)], "/0/parameters"),
        ([button("quick_reply", ENDING)], "/0/parameters/0/type"),
        ([button("flow", {"type": "action", "action": {"flow_action_data": []}})], "/0/parameters/0/action"),
        ([carousel(card(0, body("a")))], "/0/cards"),
        ([carousel(card(0, body("a")), card("0", body("a")))], "/0/cards/1/card_index"),
        ([carousel(card(0, header("text", "a")), card(1, body("a")))], "/0/cards/0/components/0/parameters/0/type"),
        (["body"], "/0"),
    ],
)
def test_a_wrong_component_is_refused_at_its_place(components: Any, pointer: str) -> None:
    assert any(each.startswith(f"{COMPONENTS}{pointer}") for each in pointers(sent(*components)))


def test_a_template_has_ten_buttons_and_a_card_two() -> None:
    buttons = [button("url", ENDING, index=index % 10) for index in range(11)]

    assert COMPONENTS in pointers(sent(*buttons))
    assert f"{COMPONENTS}/0/cards/0/components" in pointers(
        sent(carousel(card(0, *buttons[:3]), card(1, *buttons[:2])))
    )


@pytest.mark.parametrize(
    ("key", "hint"), [("parameters", "components"), ("category", "template"), ("lang", "language")]
)
def test_a_field_that_a_template_does_not_have_is_refused_with_a_hint(key: str, hint: str) -> None:
    [problem] = problems_of(sent(**{key: "x"}))

    assert problem.hint is not None
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("components", "warning"),
    [
        ([button("quick_reply", {"type": "payload", "payload": "x" * 257})], "has 257 characters"),
        ([button("phone_number")], "has no variable"),
        ([{"type": "button", "sub_type": "call_permission_request"}], "has no variable"),
        ([body("1234"), button("url", {"type": "text", "text": "9999"})], "the same one-time password"),
        ([body("K7QX2"), button("url", {"type": "text", "text": "k7qx2"})], "the same one-time password"),
        (
            [
                {
                    "type": "limited_time_offer",
                    "parameters": [
                        {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": "1795780800"}}
                    ],
                }
            ],
            "is a time in the past",
        ),
        (
            [carousel(card(1, body("a")), card(0, body("a")))],
            "should have the `card_index` 0, 1, 2",
        ),
        (
            [
                {
                    "type": "limited_time_offer",
                    "parameters": [
                        {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1795780800}}
                    ],
                }
            ],
            "is a time in the past",
        ),
    ],
)
def test_what_meta_may_refuse_is_accepted_with_a_warning(components: Any, warning: str) -> None:
    [told] = accepted(sent(*components)).warnings

    assert warning in told
    assert told.startswith(COMPONENTS)


def test_a_suffix_that_is_no_password_may_differ_from_the_body() -> None:
    assert accepted(sent(body("Ada"), button("url", {"type": "text", "text": "orders/71"}))).warnings == ()
