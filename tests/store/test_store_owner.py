"""A database records its owner, and no other gateway opens or upgrades it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from app.domain.database_identity import Owner
from app.domain.event import Position
from app.store import Store, StoreNotOurs, StoreUnavailable
from app.store.engine import postgres, sqlite
from app.store.engine.sqlite_files import create_file
from app.store.migrations.upgrade import MIGRATIONS
from app.store.tables.schema import events
from tests.support.events import new_event, put_events
from tests.support.store import Databases, StoreMaker, new_receipt, unavailable

LIVE = Owner("live", "1234567890", ("1234567890",), "prod", claims=True)
DRY_RUN = Owner("dry-run", "1234567890", None, "prod", claims=True)
OTHER = replace(LIVE, account="200", accounts=("200",))


def run_in(databases: Databases, url: str, statement: str) -> None:
    with engine_for(databases, url) as engine, engine.begin() as connection:
        connection.execute(text(statement))


@contextmanager
def engine_for(databases: Databases, url: str) -> Iterator[Engine]:
    if databases.kind == "sqlite":
        create_file(sqlite.path_of(url))
        engine = sqlite.writer_engine(url, lock_seconds=60)
        sqlite.set_journal_mode(engine)
    else:
        engine = postgres.engine_for(url, connections=1, pool_seconds=60, lock_seconds=60)
    yield engine
    engine.dispose()


def of_today(databases: Databases) -> str:
    """Return the URL of a database as the release before identities left it."""
    url = databases.empty()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine_for(databases, url) as engine, engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    return url


def add_event(url: str, make_store: StoreMaker) -> None:
    put_events(make_store(url), new_event())


def refusal_of(make_store: StoreMaker, url: str, owner: Owner) -> str:
    with pytest.raises(StoreNotOurs) as refused:
        make_store(url, owner=owner).upgrade_schema()
    return refused.value.refusal.code


@pytest.fixture
def live(databases: Databases, make_store: StoreMaker) -> str:
    """The URL of a database that live has made."""
    url = databases.empty()
    make_store(url, owner=LIVE).upgrade_schema()
    return url


def test_a_new_database_belongs_to_the_gateway_that_makes_it(live: str, make_store: StoreMaker) -> None:
    identity = make_store(live, owner=LIVE).identity()

    assert (identity.mode, identity.account, identity.profile) == ("live", "1234567890", "prod")
    assert not identity.has_bare_cursors


def test_each_database_has_an_id_of_its_own_that_stays(databases: Databases, make_store: StoreMaker) -> None:
    one, other = databases.empty(), databases.empty()
    for url in (one, other):
        make_store(url, owner=LIVE).upgrade_schema()
    first = make_store(one, owner=LIVE).identity().id

    make_store(one, owner=LIVE).upgrade_schema()

    assert make_store(one, owner=LIVE).identity().id == first != make_store(other, owner=LIVE).identity().id


@pytest.mark.parametrize(("owner", "code"), [(DRY_RUN, "live_database"), (OTHER, "other_account")])
def test_another_gateway_neither_upgrades_nor_uses_the_database(
    live: str, make_store: StoreMaker, owner: Owner, code: str
) -> None:
    store = make_store(live, owner=owner)

    assert refusal_of(make_store, live, owner) == code
    with pytest.raises(StoreUnavailable, match="the database belongs to another"):
        store.receipts.add(new_receipt())
    with pytest.raises(StoreNotOurs):
        store.schema_status()
    assert store.checks()["database"].startswith("the database belongs to another")
    assert make_store(live, owner=LIVE).receipts.counts().total == 0


def test_a_database_is_handed_over_to_another_account_by_hand(live: str, make_store: StoreMaker) -> None:
    make_store(live, owner=replace(OTHER, adopts=True)).upgrade_schema()

    assert make_store(live, owner=OTHER).identity().account == "200"
    assert refusal_of(make_store, live, LIVE) == "other_account"


def test_an_account_that_the_profile_lists_beside_its_first_keeps_the_database(
    live: str, make_store: StoreMaker
) -> None:
    make_store(live, owner=replace(OTHER, accounts=("200", "1234567890"))).upgrade_schema()

    assert make_store(live, owner=LIVE).identity().account == "1234567890"


def test_another_profile_on_the_database_is_reported(
    live: str, make_store: StoreMaker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "app.store.migrations.upgrade"):
        make_store(live, owner=replace(LIVE, profile="staging")).upgrade_schema()

    [told] = caplog.records
    assert told.getMessage() == "store.profile_changed"
    assert "the profile prod has used this database, and now staging does" in vars(told)["reason"]


def test_live_takes_a_database_of_today_that_has_events_of_its_account(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = of_today(databases)
    add_event(url, make_store)

    make_store(url, owner=LIVE).upgrade_schema()

    identity = make_store(url, owner=LIVE).identity()
    assert (identity.mode, identity.account, identity.has_bare_cursors) == ("live", "1234567890", True)
    assert refusal_of(make_store, url, DRY_RUN) == "live_database"


def test_a_database_of_today_with_only_another_accounts_events_is_not_taken(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = of_today(databases)
    add_event(url, make_store)

    assert refusal_of(make_store, url, OTHER) == "other_account"
    assert make_store(url).schema_status().version == "0002"
    make_store(url, owner=replace(OTHER, adopts=True)).upgrade_schema()
    assert make_store(url, owner=OTHER).identity().account == "200"


def test_a_dry_run_takes_no_database_of_today_but_its_own_file(databases: Databases, make_store: StoreMaker) -> None:
    url = of_today(databases)

    assert refusal_of(make_store, url, replace(DRY_RUN, claims=False)) == "unmarked_database"
    assert make_store(url).schema_status().version == "0002"
    make_store(url, owner=DRY_RUN).upgrade_schema()
    assert make_store(url, owner=DRY_RUN).identity().mode == "dry-run"


def test_a_schema_without_identity_is_not_used_before_its_upgrade(
    databases: Databases, make_store: StoreMaker
) -> None:
    store = make_store(of_today(databases), owner=LIVE)

    with unavailable("the schema is older than this code; run `flask wats db upgrade`"):
        store.receipts.add(new_receipt())


def test_the_highest_sequence_outlives_its_event(store: Store) -> None:
    put_events(store, new_event("a"), new_event("b"))

    def delete_all(connection: Connection) -> None:
        connection.execute(events.delete())

    store.write(delete_all)

    confirmed = [store.events.confirmed(Position(sequence)) for sequence in (2, 3)]
    assert (store.events.latest(), confirmed) == (0, [Position(2), None])


def test_no_sequence_was_given_out_before_the_first_event(store: Store) -> None:
    assert store.events.confirmed(Position(0)) == store.events.latest_position() == Position(0)
    assert store.events.confirmed(Position(1)) is None


def test_a_database_with_tables_of_another_program_is_refused_unchanged(
    databases: Databases, make_store: StoreMaker
) -> None:
    url = databases.empty()
    run_in(databases, url, "CREATE TABLE events (of_another_program INTEGER)")

    with pytest.raises(StoreNotOurs, match="the database has tables of another program") as refused:
        make_store(url, owner=DRY_RUN).upgrade_schema()

    assert refused.value.refusal.cure.startswith("it has events, and no schema of wats; name another database")
    run_in(databases, url, "SELECT of_another_program FROM events")


def test_a_database_may_hold_other_tables_of_another_program(databases: Databases, make_store: StoreMaker) -> None:
    url = databases.empty()
    run_in(databases, url, "CREATE TABLE of_another_program (id INTEGER)")

    assert make_store(url, owner=DRY_RUN).upgrade_schema().compatible
