"""A message of every kind is accepted, and sent as it was written."""

import pytest

from app.domain.meta.payloads.kinds import MESSAGES
from tests.support.payload_samples import DIRECT_SENDS, SAMPLES
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


@pytest.mark.parametrize("name", EVERY_SAMPLE)
def test_only_templates_and_direct_sends_are_exempt_from_the_window(name: str) -> None:
    body = EVERY_SAMPLE[name]

    is_exempt = body["type"] == "template" or body.get("category") in ("utility", "authentication")

    assert accepted(body).is_window_exempt is is_exempt
