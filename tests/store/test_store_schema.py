"""The schema fits this code or not, and an upgrade brings it to head."""

from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from app.domain.event_filter import EventFilter
from app.store import SchemaStatus, Store
from app.store.migrations.upgrade import MIGRATIONS, no_schema
from app.store.migrations.versions import v0010_event_filters
from app.store.migrations.versions.v0005_event_names import read_names
from app.store.tables.schema import event_names, metadata
from tests.support.events import new_event, put_events
from tests.support.store import Databases, StoreMaker, new_receipt

HEAD, NEWER = no_schema().head, "9999"
AT_HEAD = SchemaStatus(HEAD, HEAD, compatible=True)


def execute(store: Store, *statements: str) -> None:
    def work(connection: Connection) -> None:
        for sql in statements:
            connection.exec_driver_sql(sql)

    store.write(work)


def test_the_newest_revision_is_known_without_alembic() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_an_empty_database_has_no_version(databases: Databases, make_store: StoreMaker) -> None:
    store = make_store(databases.empty())

    assert store.schema_status() == SchemaStatus(None, HEAD, compatible=False)


def test_an_upgrade_brings_the_schema_to_head(databases: Databases, make_store: StoreMaker) -> None:
    store = make_store(databases.empty())

    status = store.upgrade_schema()

    assert status == AT_HEAD
    assert store.schema_status() == AT_HEAD


def test_a_second_upgrade_changes_nothing(store: Store) -> None:
    store.receipts.add(new_receipt())

    status = store.upgrade_schema()

    assert status == AT_HEAD
    assert store.receipts.counts().total == 1


def test_an_older_schema_does_not_fit(store: Store) -> None:
    execute(store, "UPDATE schema_version SET version_num = '0000'")

    assert store.schema_status() == SchemaStatus("0000", HEAD, compatible=False)


@pytest.mark.parametrize(("oldest_code", "compatible"), [(HEAD, True), ("0000", True), (NEWER, False)])
def test_a_newer_schema_says_whether_this_code_may_use_it(store: Store, oldest_code: str, compatible: bool) -> None:
    execute(
        store,
        f"UPDATE schema_version SET version_num = '{NEWER}'",
        f"UPDATE schema_compatibility SET oldest_code = '{oldest_code}'",
    )

    assert store.schema_status() == SchemaStatus(NEWER, HEAD, compatible)
    assert store.checks()["schema"] == ("ok" if compatible else f"the schema is at {NEWER}, this code at {HEAD}")


def test_a_newer_schema_that_says_nothing_does_not_fit(store: Store) -> None:
    execute(store, f"UPDATE schema_version SET version_num = '{NEWER}'", "DROP TABLE schema_compatibility")

    assert store.schema_status() == SchemaStatus(NEWER, HEAD, compatible=False)


def test_a_newer_schema_is_left_as_it_is(store: Store) -> None:
    execute(store, f"UPDATE schema_version SET version_num = '{NEWER}'")

    status = store.upgrade_schema()

    assert status == SchemaStatus(NEWER, HEAD, compatible=True)


def test_the_migrations_lead_to_the_tables_of_this_code(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"version_table": "schema_version", "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    assert store.database.read(differences) == []


def test_the_upgrade_reads_further_names_out_of_the_events_of_older_code(store: Store) -> None:
    """As many events as need several batches; the last is about a changed number."""
    spelled = [new_event(n, wa_id="5531988880001", contacts=[{"wa_id": "553188880001"}]) for n in range(501)]
    changed = replace(new_event("changed", wa_id="491511"), data={"text": "", "current": {"waId": "+491512"}})
    put_events(store, *spelled, changed)

    store.write(read_names)

    query = select(event_names.c.name, event_names.c.event).order_by(event_names.c.event)
    names = [tuple(row) for row in store.database.read(lambda c: c.execute(query).all())]
    assert names == [*[("553188880001", n) for n in range(1, 502)], ("491512", 502)]


def test_the_upgrade_adds_the_indexes_of_filters_to_events_that_are_there(store: Store) -> None:
    put_events(store, *map(new_event, "abc"), receipt=7)
    execute(store, *(f"DROP INDEX {name}" for name in ("events_number", "events_received", "events_receipt")))

    def add_indexes(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            v0010_event_filters.upgrade()

    store.write(add_indexes)

    found = store.events.after(0, EventFilter(receipt_id="rcp_7"), limit=9)
    indexes = store.database.read(lambda c: {index["name"] for index in inspect(c).get_indexes("events")})
    assert [event.data["text"] for event in found] == ["a", "b", "c"]
    assert indexes > {"events_number", "events_received", "events_receipt"}


def test_an_upgrade_that_fails_is_rolled_back(databases: Databases, make_store: StoreMaker) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(point: str) -> None:
        raise Interrupted

    store = make_store(databases.empty(), on_failpoint=interrupt)

    with pytest.raises(Interrupted):
        store.upgrade_schema()

    assert store.schema_status().version is None
