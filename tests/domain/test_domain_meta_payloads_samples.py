"""A message of every kind is accepted, and sent as it was written."""

from typing import Any

import pytest

from app.domain.meta.payloads.interactive import INTERACTIVE
from app.domain.meta.payloads.kinds import MESSAGES
from app.domain.meta.payloads.structure import members
from app.domain.meta.payloads.template import BODY, COMPONENT
from app.domain.meta.payloads.template_buttons import BUTTON, WITHOUT_VARIABLE
from app.domain.meta.payloads.template_values import HEADER
from tests.support.payload_samples import DIRECT_SENDS, MARKETING, SAMPLES
from tests.support.payloads import accepted

EVERY_SAMPLE = SAMPLES | DIRECT_SENDS


@pytest.mark.parametrize("name", EVERY_SAMPLE)
def test_a_sample_is_accepted_without_a_warning(name: str) -> None:
    assert accepted(EVERY_SAMPLE[name]).warnings == ()


@pytest.mark.parametrize("name", EVERY_SAMPLE)
def test_a_sample_is_sent_as_it_was_written(name: str) -> None:
    body = {"messaging_product": "whatsapp", "recipient_type": "individual"} | EVERY_SAMPLE[name]

    assert accepted(EVERY_SAMPLE[name]).body == body
    assert accepted(EVERY_SAMPLE[name], as_sent_to_meta=True).body == body


def test_every_kind_has_a_sample() -> None:
    assert {sample["type"] for sample in SAMPLES.values()} == set(MESSAGES.cases)


def parts_of_templates() -> list[dict[str, Any]]:
    templates = [sample["template"] for sample in (*SAMPLES.values(), MARKETING) if "template" in sample]
    return [part for each in templates for _, part in members(each, "components", "*")]


def words(key: str) -> set[str]:
    """Return the words at a key of the components of templates, in lower case."""
    return {part[key].lower() for part in parts_of_templates() if key in part}


def values(component: str) -> set[str]:
    """Return the types of the values that components of this type have."""
    parts = [part for part in parts_of_templates() if part["type"] == component]
    return {kind for part in parts for _, kind in members(part, "parameters", "*", "type")}


def test_every_interactive_kind_has_a_sample() -> None:
    kinds = {sample["interactive"]["type"] for sample in SAMPLES.values() if "interactive" in sample}

    assert kinds == set(INTERACTIVE.cases)


def test_every_part_of_a_template_that_has_a_variable_has_a_sample() -> None:
    with_variable = {word for word, part in BUTTON.cases.items() if part is not WITHOUT_VARIABLE}

    assert words("type") == set(COMPONENT.cases)
    assert words("sub_type") == with_variable


@pytest.mark.parametrize(("component", "table"), [("header", HEADER), ("body", BODY)])
def test_every_type_of_a_value_has_a_sample(component: str, table: Any) -> None:
    assert values(component) == set(table.required["parameters"].item.cases)


def test_a_marketing_message_is_sent_as_it_was_written() -> None:
    whole = {"messaging_product": "whatsapp", "recipient_type": "individual"} | MARKETING

    assert accepted(MARKETING, endpoint="marketing_messages", as_sent_to_meta=True).body == whole


@pytest.mark.parametrize("name", EVERY_SAMPLE)
def test_only_templates_and_direct_sends_are_exempt_from_the_window(name: str) -> None:
    body = EVERY_SAMPLE[name]

    is_exempt = body["type"] == "template" or body.get("category") in ("utility", "authentication")

    assert accepted(body).is_window_exempt is is_exempt
