"""The fields around a message: kinds, Direct Send, marketing_messages, and fields that belong elsewhere."""

from typing import Any

import pytest

from tests.support.payload_samples import DIRECT_SENDS, SAMPLES
from tests.support.payload_templates import header, template
from tests.support.payloads import accepted, pointers, problems_of, text


@pytest.mark.parametrize(
    ("written", "hint"),
    [("imgae", "did you mean `image`?"), ("Text", "did you mean `text`?"), ("flow_message", None)],
)
def test_an_unknown_kind_is_refused_with_the_nearest_one(written: str, hint: str | None) -> None:
    [problem] = problems_of({**text(), "type": written})

    assert problem.pointer == "/type"
    assert problem.hint == hint or (hint is None and problem.hint is not None and "`text`" in problem.hint)


@pytest.mark.parametrize("type_", [None, 5, [], {}, "x" * 10_000])
def test_the_kind_must_be_named(type_: Any) -> None:
    [problem] = problems_of({**text(), "type": type_})

    assert problem.pointer == "/type"
    assert len(problem.message) < 400


@pytest.mark.parametrize("type_", [5, [], {}, "x" * 41, "x" * 10_000])
def test_a_client_of_metas_api_must_name_a_kind_that_can_be_one(type_: Any) -> None:
    assert pointers({**text(), "type": type_}, as_sent_to_meta=True) == ["/type"]


def test_the_object_of_the_kind_must_stand() -> None:
    assert pointers({**text(), "type": "image"}) == ["/image", "/text"]


def test_the_object_of_another_kind_is_refused() -> None:
    [problem] = problems_of(text(image={"id": "1"}))

    assert problem.pointer == "/image"
    assert problem.hint == "`type` is `text`: leave it out, or set `type` to `image`"


def test_an_unknown_kind_hides_no_other_mistake() -> None:
    assert pointers({**text(to=""), "type": "imgae"}) == ["/type", "/to"]


@pytest.mark.parametrize("key", ["context", "recipient_type", "preview"])
def test_null_is_refused_in_the_place_of_a_field(key: str) -> None:
    assert pointers(text(**{key: None})) == [f"/{key}"]


def test_null_from_a_client_of_metas_api_is_left_to_meta() -> None:
    assert accepted(text(context=None), as_sent_to_meta=True).body["context"] is None


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("ttl", 60, "message_send_ttl_seconds"),
        ("message_send_ttl_seconds", 60, "on the template"),
        ("ttl_seconds", 60, "category"),
        ("direct_send_config", {"template_name": "a"}, "category"),
        ("product_policy", "STRICT", "marketing_messages"),
        ("message_activity_sharing", True, "marketing_messages"),
        ("status", "read", "marks a customer's message as read"),
        ("typing_indicator", {"type": "text"}, "no message"),
    ],
)
def test_a_field_that_belongs_elsewhere_is_refused_with_where(key: str, value: Any, hint: str) -> None:
    [problem] = problems_of(text(**{key: value}))

    assert problem.pointer == f"/{key}"
    assert problem.hint is not None
    assert hint in problem.hint


@pytest.mark.parametrize("key", ["animated", "mime_type", "sha256", "provider", "url", "filename", "voice"])
def test_a_field_of_received_media_is_refused_with_a_hint(key: str) -> None:
    body = SAMPLES["image"]

    [problem] = problems_of({**body, "image": {**body["image"], key: "x"}})

    assert (problem.pointer, bool(problem.hint)) == (f"/image/{key}", True)


@pytest.mark.parametrize("kind", ["audio", "sticker"])
def test_only_image_video_and_document_have_a_caption(kind: str) -> None:
    body = SAMPLES[kind]

    assert pointers({**body, kind: {**body[kind], "caption": "hi"}}) == [f"/{kind}/caption"]


@pytest.mark.parametrize("media", [{}, {"id": "1", "link": "https://a.example/b"}, {"caption": "hi"}])
def test_media_has_exactly_one_source(media: dict[str, str]) -> None:
    [problem] = problems_of({**SAMPLES["image"], "image": media})

    assert (problem.pointer, "exactly one of `id` or `link`" in problem.message) == ("/image", True)


def test_a_link_without_encryption_is_accepted_with_a_warning() -> None:
    [warning] = accepted({**SAMPLES["image"], "image": {"link": "http://a.example/b"}}).warnings

    assert warning.startswith("/image/link is plain http")


def test_a_contact_without_parts_of_its_name_is_accepted_with_a_warning() -> None:
    [warning] = accepted({**SAMPLES["contacts"], "contacts": [{"name": {"formatted_name": "Ada"}}]}).warnings

    assert warning.startswith("/contacts/0/name has no first or last name")


def test_many_warnings_hide_no_mistake() -> None:
    cards = [{"name": {"formatted_name": "Ada"}}] * 200

    assert pointers({**SAMPLES["contacts"], "contacts": cards, "zzz": 1}) == ["/zzz"]
    assert len(accepted({**SAMPLES["contacts"], "contacts": cards}).warnings) == 50


def test_a_reaction_answers_no_other_message() -> None:
    assert pointers({**SAMPLES["reaction"], "context": {"message_id": "wamid.X"}}) == ["/context"]


def test_messages_are_pinned_in_groups_only() -> None:
    assert pointers({**SAMPLES["pin"], "recipient_type": "individual", "to": "+491701234567"}) == ["/recipient_type"]


def test_a_pin_needs_its_days() -> None:
    body = SAMPLES["unpin"]

    assert pointers({**body, "pin": {**body["pin"], "type": "pin"}}) == ["/pin/expiration_days"]


@pytest.mark.parametrize("category", ["marketing", "Utility", "", 1, [], {}])
def test_a_category_is_one_of_three(category: Any) -> None:
    assert pointers(text(category=category)) == ["/category"]


@pytest.mark.parametrize("kind", ["image", "location", "reaction", "template text"])
def test_only_text_and_interactive_have_a_category(kind: str) -> None:
    [problem] = problems_of({**SAMPLES[kind], "category": "utility"})

    assert problem.pointer == "/type"
    assert problem.hint == "a message with a `category` (Direct Send) is `text` or `interactive`"


@pytest.mark.parametrize("category", ["service", "utility", "authentication"])
def test_a_list_has_no_category(category: str) -> None:
    assert pointers({**SAMPLES["interactive list"], "category": category}) == ["/interactive/type"]


def test_a_service_message_has_no_lifetime() -> None:
    assert pointers({**DIRECT_SENDS["direct service"], "ttl_seconds": 60}) == ["/ttl_seconds"]


def test_only_utility_names_its_template() -> None:
    assert pointers({**DIRECT_SENDS["direct code"], "direct_send_config": {"template_name": "a"}}) == [
        "/direct_send_config"
    ]


def test_authentication_needs_a_phone_number() -> None:
    body = {key: value for key, value in DIRECT_SENDS["direct code"].items() if key != "to"}

    assert pointers({**body, "recipient": "DE.1349"}) == ["/to"]
    assert pointers(body) == ["/to"]


def test_a_header_of_a_direct_send_needs_a_source() -> None:
    body = DIRECT_SENDS["direct buttons"]
    interactive = {**body["interactive"], "header": {"type": "image", "image": {}}}

    assert pointers({**body, "interactive": interactive}) == ["/interactive/header/image"]


def test_a_marketing_message_has_fields_of_its_own() -> None:
    body = {**SAMPLES["template text"], "product_policy": "STRICT", "message_activity_sharing": False}

    assert accepted(body, endpoint="marketing_messages").body["product_policy"] == "STRICT"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("product_policy", "strict"),
        ("message_activity_sharing", "yes"),
        ("recipient_type", "group"),
        ("category", "x"),
    ],
)
def test_a_field_of_a_marketing_message_is_checked(key: str, value: Any) -> None:
    assert f"/{key}" in pointers({**SAMPLES["template text"], key: value}, endpoint="marketing_messages")


def test_a_marketing_message_is_a_template() -> None:
    [problem] = problems_of(text(), endpoint="marketing_messages")

    assert (problem.pointer, problem.hint) == ("/type", "only templates go this way; send it by POST …/messages")


def test_a_gif_is_for_marketing_messages() -> None:
    body = {**SAMPLES["text"], "type": "template", "template": template(header("GIF", {"id": "1"}))}
    del body["text"]
    body["template"]["components"][0]["parameters"] = [{"type": "gif", "gif": {"id": "1"}}]

    assert accepted(body, endpoint="marketing_messages").warnings == ()
    assert accepted(body).warnings == (
        "/template/components/0/parameters/0/type is for POST …/marketing_messages; Meta may refuse it here",
    )
