"""The limit of each field: what is just within is accepted, what is just beyond is refused at its place."""

from typing import Any

import pytest

from app.domain.meta.payloads.check import Payload, PayloadProblem, check_payload
from tests.support.payload_limits import LIMITS
from tests.support.payload_limits_of_parts import PART_LIMITS
from tests.support.payloads import problems_of, text, with_value

EVERY_LIMIT = [*LIMITS, *((name, place + below, good, bad) for (name, place), below, good, bad in PART_LIMITS)]


def cases(accepted: bool) -> list[Any]:
    return [
        pytest.param(name, pointer, value, id=f"{name} {pointer} {number}.{index}")
        for number, (name, pointer, good, bad) in enumerate(EVERY_LIMIT)
        for index, value in enumerate(good if accepted else bad)
    ]


@pytest.mark.parametrize(("name", "pointer", "value"), cases(accepted=True))
def test_a_value_within_its_limit_is_accepted(name: str, pointer: str, value: Any) -> None:
    assert isinstance(check_payload(with_value(name, pointer, value)), Payload)


@pytest.mark.parametrize(("name", "pointer", "value"), cases(accepted=False))
def test_a_value_beyond_its_limit_is_refused_at_its_place(name: str, pointer: str, value: Any) -> None:
    problems = problems_of(with_value(name, pointer, value))

    assert any(problem.pointer.startswith(pointer) for problem in problems)
    assert [problem for problem in problems if not is_related(problem.pointer, pointer)] == []


def is_related(pointer: str, other: str) -> bool:
    return f"{pointer}/".startswith(f"{other}/") or f"{other}/".startswith(f"{pointer}/")


def test_a_message_names_the_limit_and_what_stands() -> None:
    assert problems_of(text(body="x" * 5000)) == (
        PayloadProblem("/text/body", "must have at most 4096 characters; it has 5000", None),
    )
