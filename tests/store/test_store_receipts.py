"""Receipts are added, read and listed: the same facts on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from app.domain.receipt import NewReceipt, ReceiptState, Stored
from app.store import Store
from app.store.transactions.add_receipts import add_receipts, digest_of
from tests.support.store import NOON, new_receipt, unavailable

ACCEPTED, DUPLICATE = Stored.ACCEPTED, Stored.DUPLICATE
HOSTILE = {
    "nothing": b"",
    "NUL": b"\x00{\x00}\x00",
    "invalid UTF-8": b"\xff\xfe\xc0\xaf",
    "a lone surrogate": b'"\xed\xa0\x80"',
    "a quote and a backslash": b"'; DROP TABLE receipts; -- \\",
    "every byte": bytes(range(256)),
    "a byte-order mark": b"\xef\xbb\xbf{}",
    "line ends": b"\r\n\n\r",
    "3 MB": bytes(range(256)) * 12_000,
}


def newest(store: Store) -> str:
    return store.receipts.page(state=None, before=None, limit=1)[0].id


def everything(store: Store) -> list[tuple[bytes | None, int]]:
    """Return the bodies, oldest first, each with its number of duplicates."""
    page = store.receipts.page(state=None, before=None, limit=10_000)
    return [(store.receipts.body(receipt.id), receipt.duplicates) for receipt in reversed(page)]


def put_in_state(store: Store, state: ReceiptState, receipt_id: str) -> None:
    number = receipt_id.removeprefix("rcp_")
    sql = f"UPDATE receipts SET state = '{state.value}' WHERE id = {number}"
    store.write(lambda connection: connection.exec_driver_sql(sql))


def test_a_receipt_is_read_as_it_was_added(store: Store) -> None:
    stored = store.receipts.add(new_receipt(b"hello", signed_with="previous"))

    receipt = store.receipts.get(newest(store))
    assert stored is ACCEPTED
    assert receipt is not None
    assert receipt.id == "rcp_1"
    assert receipt.received_at == NOON
    assert receipt.received_at.tzinfo is UTC
    assert receipt.size == 5
    assert receipt.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert receipt.state is ReceiptState.PENDING
    assert (receipt.events, receipt.duplicates, receipt.signed_with) == (0, 0, "previous")


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_body_is_read_byte_for_byte(store: Store, body: bytes) -> None:
    stored = store.receipts.add_all([new_receipt(body), new_receipt(body)])

    assert stored == [ACCEPTED, DUPLICATE]
    assert everything(store) == [(body, 1)]


def test_the_same_bytes_again_are_a_duplicate_of_the_first(store: Store) -> None:
    store.receipts.add(new_receipt(b"same", minute=0))

    stored = [store.receipts.add(new_receipt(b"same", minute=minute)) for minute in (1, 2)]

    assert stored == [DUPLICATE, DUPLICATE]
    assert everything(store) == [(b"same", 2)]
    first = store.receipts.get(newest(store))
    assert first is not None
    assert first.received_at == NOON


def test_a_body_twice_in_a_batch_is_stored_once(store: Store) -> None:
    stored = store.receipts.add_all([new_receipt(body) for body in (b"a", b"b", b"a", b"a")])

    assert stored == [ACCEPTED, ACCEPTED, DUPLICATE, DUPLICATE]
    assert everything(store) == [(b"a", 2), (b"b", 0)]


def test_a_batch_may_mix_new_stored_and_repeated_bodies(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"known"), new_receipt(b"other")])

    stored = store.receipts.add_all([new_receipt(body) for body in (b"new", b"known", b"new", b"known", b"last")])

    assert stored == [ACCEPTED, DUPLICATE, DUPLICATE, DUPLICATE, ACCEPTED]
    assert everything(store) == [(b"known", 2), (b"other", 0), (b"new", 1), (b"last", 0)]


def test_a_batch_of_500_keeps_its_order(store: Store) -> None:
    bodies = [b"%d" % number for number in range(500)]

    stored = store.receipts.add_all([new_receipt(body) for body in bodies])

    assert stored == [ACCEPTED] * 500
    assert everything(store) == [(body, 0) for body in bodies]


def test_an_empty_batch_stores_nothing(store: Store) -> None:
    stored = store.receipts.add_all([])

    assert stored == []
    assert everything(store) == []


def test_a_timestamp_keeps_its_microseconds_whatever_its_offset(store: Store) -> None:
    east = NOON.astimezone(tz=None).replace(microsecond=999_999)
    store.receipts.add(NewReceipt(b"east", east, "current"))

    received_at = store.receipts.page(state=None, before=None, limit=1)[0].received_at

    assert received_at == east
    assert received_at.tzinfo is UTC


def digest_by_probe(sha256: bytes, probe: int) -> int:
    """Let every body collide with every other at every probe."""
    return probe


def digest_of_two_bits(sha256: bytes, probe: int) -> int:
    """Return few values, which probes share."""
    return digest_of(sha256, probe) % 4 + probe // 3


@pytest.mark.parametrize("digest", [digest_by_probe, digest_of_two_bits])
def test_bodies_that_share_a_digest_are_all_stored_and_recognised(
    store: Store, digest: Callable[[bytes, int], int]
) -> None:
    bodies = [b"%d" % number for number in range(12)]

    def add(*some: bytes) -> list[Stored]:
        return store.write(lambda c: add_receipts(c, [new_receipt(body) for body in some], digest))

    first = add(*bodies[:6], *bodies[:3])
    second = add(*bodies, bodies[-1])

    assert first == [ACCEPTED] * 6 + [DUPLICATE] * 3
    assert second == [DUPLICATE] * 6 + [ACCEPTED] * 6 + [DUPLICATE]
    assert sorted(everything(store)) == sorted(
        [(body, 2) for body in bodies[:3]]
        + [(body, 1) for body in bodies[3:6]]
        + [(body, 0) for body in bodies[6:-1]]
        + [(bodies[-1], 1)]
    )


def test_probes_of_a_digest_differ() -> None:
    sha256 = bytes(range(32))

    digests = {digest_of(sha256, probe) for probe in range(4)}

    assert len(digests) == 4
    assert all(-(2**63) <= digest < 2**63 for digest in digests)


def test_a_page_goes_from_the_newest_to_the_oldest(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"%d" % number) for number in range(5)])

    first = [receipt.id for receipt in store.receipts.page(state=None, before=None, limit=2)]
    second = [receipt.id for receipt in store.receipts.page(state=None, before=first[-1], limit=2)]
    third = [receipt.id for receipt in store.receipts.page(state=None, before=second[-1], limit=2)]

    assert (first, second, third) == (["rcp_5", "rcp_4"], ["rcp_3", "rcp_2"], ["rcp_1"])


def test_a_page_may_show_one_state_only(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"%d" % number) for number in range(3)])
    put_in_state(store, ReceiptState.UNREADABLE, "rcp_2")

    shown = {
        state: [receipt.id for receipt in store.receipts.page(state=state, before=None, limit=9)]
        for state in ReceiptState
    }

    assert shown == {
        ReceiptState.PENDING: ["rcp_3", "rcp_1"],
        ReceiptState.SPLIT: [],
        ReceiptState.UNREADABLE: ["rcp_2"],
        ReceiptState.DISMISSED: [],
    }


@pytest.mark.parametrize("before", ["rcp_1", "rcp_0", "", "evt_3", "rcp_99999999999999999999"])
def test_there_is_no_receipt_before_the_first_or_before_an_invalid_id(store: Store, before: str) -> None:
    store.receipts.add_all([new_receipt(b"1"), new_receipt(b"2")])

    page = store.receipts.page(state=None, before=before, limit=9)

    assert page == []


@pytest.mark.parametrize(
    "receipt_id", ["rcp_2", "rcp_9223372036854775807", "rcp_9223372036854775808", "rcp_01", "", "x"]
)
def test_an_unknown_id_names_no_receipt(store: Store, receipt_id: str) -> None:
    store.receipts.add(new_receipt())

    answers = store.receipts.get(receipt_id), store.receipts.body(receipt_id), store.receipts.reprocess(receipt_id)

    assert answers == (None, None, None)


def test_counts_of_an_empty_store_are_0(store: Store) -> None:
    counts = store.receipts.counts()

    assert (counts.total, counts.pending, counts.unreadable) == (0, 0, 0)
    assert (counts.oldest_pending_at, counts.last_received_at) == (None, None)


def test_counts_are_by_state(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"%d" % minute, minute=minute) for minute in range(4)])
    put_in_state(store, ReceiptState.SPLIT, "rcp_1")
    put_in_state(store, ReceiptState.UNREADABLE, "rcp_2")

    counts = store.receipts.counts()

    assert (counts.total, counts.pending, counts.unreadable) == (4, 2, 1)
    assert counts.oldest_pending_at == NOON + timedelta(minutes=2)
    assert counts.last_received_at == NOON + timedelta(minutes=3)


def test_a_reprocessed_receipt_is_pending_again(store: Store) -> None:
    store.receipts.add(new_receipt())
    put_in_state(store, ReceiptState.UNREADABLE, "rcp_1")

    receipt = store.receipts.reprocess("rcp_1")

    assert receipt is not None
    assert receipt.state is ReceiptState.PENDING
    assert store.receipts.counts().pending == 1


def test_an_id_is_never_used_twice(store: Store) -> None:
    store.receipts.add_all([new_receipt(b"1"), new_receipt(b"2")])
    store.write(lambda connection: connection.exec_driver_sql("DELETE FROM receipts"))

    store.receipts.add(new_receipt(b"3"))

    assert newest(store) == "rcp_3"


def test_work_that_raises_is_rolled_back(store: Store) -> None:
    def add_and_raise(connection: object) -> None:
        add_receipts(connection, [new_receipt(b"gone")])  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        store.write(add_and_raise)

    assert everything(store) == []


def test_a_read_sees_only_what_is_committed(store: Store) -> None:
    def add_and_count(connection: object) -> int:
        add_receipts(connection, [new_receipt(b"not yet")])  # type: ignore[arg-type]
        return store.receipts.counts().total

    seen = store.write(add_and_count)

    assert seen == 0
    assert store.receipts.counts().total == 1


def test_a_closed_store_refuses(store: Store) -> None:
    store.close()

    with unavailable("the store is closed"):
        store.receipts.add(new_receipt())


def test_a_store_may_be_opened_again(store: Store) -> None:
    store.receipts.add(new_receipt())
    store.close()

    store.open()

    assert everything(store) == [(b"{}", 0)]
