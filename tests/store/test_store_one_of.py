"""The condition `one_of` finds the rows that Core's `IN` finds, whatever the values hold."""

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Column, Connection, insert, select

from app.store import Store, StoreRefused
from app.store.engine.one_of import one_of
from app.store.tables.message_schema import contact_links

NAMES = [f"{text} ä\U0001f600" for text in ("'", '"', "\\", "%s", ":x", "[1]", "\n")]
NUMBERS = [2**62 + 1, -(2**62), 0]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (contact_links.c.name, NAMES[::2]),
        (contact_links.c.name, ["", "Ada"]),
        (contact_links.c.contact, NUMBERS[:2]),
        (contact_links.c.contact, []),
        (contact_links.c.name, set(NAMES[1:])),
        (contact_links.c.contact, set(NUMBERS[1:])),
        (contact_links.c.name, [*NAMES[:1], r"\u0000"]),
    ],
)
def test_one_of_many_values_is_what_core_would_find(
    store: Store, column: Column[Any], values: Collection[Any]
) -> None:
    def found(connection: Connection) -> tuple[list[Any], list[Any]]:
        rows = [{"name": name, "contact": NUMBERS[place % len(NUMBERS)]} for place, name in enumerate(NAMES)]
        connection.execute(insert(contact_links), rows)
        query = select(contact_links).order_by(contact_links.c.name)
        by_core = connection.execute(query.where(column.in_(values))).all()
        return list(connection.execute(query.where(one_of(column, "values")), {"values": values})), list(by_core)

    by_array, by_core = store.write(found)

    assert by_array == by_core


def test_text_with_nul_is_refused_and_none_finds_nothing(store: Store) -> None:
    query = select(contact_links).where(one_of(contact_links.c.name, "values"))

    with pytest.raises(StoreRefused):
        store.database.read(lambda c: c.execute(query, {"values": ["Ada", "Ada\0"]}).all())

    assert store.database.read(lambda c: c.execute(query, {"values": None}).all()) == []
