"""The tables of messages describe themselves: docs/messages.md and the reasons of a refusal are made of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.meta.payloads import direct_send, kinds
from app.domain.meta.payloads.structure import ListOf, Object, OwnLimit
from app.domain.meta.payloads.variants import Variants

TABLES = {
    "messages": kinds.MESSAGES,
    "marketing_messages": kinds.MARKETING_MESSAGES,
    "utility": direct_send.UTILITY,
    "authentication": direct_send.AUTHENTICATION,
    "service": direct_send.SERVICE,
}


def parts_of(checker: Any) -> Iterator[Any]:
    """Yield a checker, its rules, and everything in it."""
    yield checker
    inner: list[Any] = []
    if isinstance(checker, Object):
        inner = [*checker.required.values(), *checker.optional.values(), *checker.rules]
    elif isinstance(checker, OwnLimit):
        inner = [checker.checker]
    elif isinstance(checker, ListOf):
        inner = [checker.item, *checker.rules]
    elif isinstance(checker, Variants):
        inner = [checker.common, *checker.cases.values()]
    for part in inner:
        yield from parts_of(part)


@pytest.mark.parametrize("name", TABLES)
def test_every_checker_and_every_rule_says_what_it_accepts(name: str) -> None:
    told = [part.describe() for part in parts_of(TABLES[name])]

    assert len(told) > 30
    assert [each for each in told if not each or not each.isprintable() or each.endswith(".")] == []


@pytest.mark.parametrize("name", TABLES)
def test_no_field_is_both_required_and_optional(name: str) -> None:
    objects = [part for part in parts_of(TABLES[name]) if isinstance(part, Object)]

    assert [table for table in objects if table.required.keys() & table.optional.keys()] == []
