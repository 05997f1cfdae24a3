"""The state of the fake Meta, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.domain.job import FAKE_META_QUEUE
from app.store import Store
from app.store.fake_meta import KEPT_FOR
from tests.support.store import StoreMaker
from tests.support.work import Clock, claim

MINUTE = timedelta(minutes=1)


def test_a_value_is_json_or_bytes_and_can_be_forgotten(store: Store) -> None:
    state = store.fake_meta
    state.put("media", "1", {"a": [1, None]})
    state.put("media_bytes", "1", b"\0\xff")

    assert (state.get("media", "1"), state.get("media_bytes", "1")) == ({"a": [1, None]}, b"\0\xff")
    assert (state.delete("media", "1"), state.delete("media", "1")) == (True, False)
    assert state.get("media", "1") is None


def test_the_values_of_a_kind_come_oldest_first_and_without_those_of_others(store: Store) -> None:
    for kind, key in (("a_b", "z:1"), ("axb", "2"), ("a_b", "y"), ("a", "3")):
        store.fake_meta.put(kind, key, key)
    store.fake_meta.put("a_b", "z:1", "again")

    assert store.fake_meta.items("a_b") == [("z:1", "again"), ("y", "y")]


def test_changes_at_once_are_all_counted(store: Store) -> None:
    def count(_: int) -> None:
        store.fake_meta.update("counter", "wamid", lambda number: (number or 0) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))

    assert store.fake_meta.get("counter", "wamid") == 40


def test_a_webhook_is_due_after_its_delay_and_forgotten_once_it_was_posted(
    url: str, make_store: StoreMaker, clock: Clock
) -> None:
    store = make_store(url, clock=clock)
    store.fake_meta.plan_webhook("one", b"{}", MINUTE)

    early = claim(store, FAKE_META_QUEUE)
    clock.advance(MINUTE)
    [job] = claim(store, FAKE_META_QUEUE)
    body = store.fake_meta.webhook(job.subject)
    store.fake_meta.forget_webhook(job.subject)

    assert (early, body) == ([], b"{}")
    assert store.fake_meta.webhook(job.subject) is None


def test_what_was_not_changed_for_long_is_forgotten(url: str, make_store: StoreMaker, clock: Clock) -> None:
    store = make_store(url, clock=clock)
    store.fake_meta.put("media", "old", 1)
    clock.advance(KEPT_FOR + MINUTE)
    store.fake_meta.put("media", "new", 2)

    store.fake_meta.forget_webhook(0)

    assert store.fake_meta.items("media") == [("new", 2)]
