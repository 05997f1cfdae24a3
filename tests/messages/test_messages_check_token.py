"""A worker asks Meta how long the access token lives: at its start, and when what is known is old."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.config import Secret
from app.domain.job import TOKEN_MAX_WAIT, TOKEN_QUEUE, Job, Retry
from app.domain.meta.access_token import GOOD_FOR, TokenLife
from app.gateway import Gateway
from app.graph.client import GraphClient
from app.graph.fake.server import FakeMetaServer
from app.messages.check_token import LOOK_EVERY, TokenCheck
from tests.support.fake_meta import TOKEN
from tests.support.serving import free_port

JOB = Job(1, TOKEN_QUEUE, 0, 0, 1)
NOBODY = "token-of-nobody-9f2c"


def check(gateway: Gateway, url: str, token: str = TOKEN) -> TokenCheck:
    graph = GraphClient(url, "v25.0", token, gateway.clock)
    return TokenCheck(replace(gateway, make_graph=lambda _: graph), Secret("TEST_ACCESS_TOKEN", token))


def asked(meta: FakeMetaServer) -> int:
    return len(meta.control.journal.entries("debug_token"))


def test_meta_is_asked_by_each_worker_that_starts_and_then_no_more_for_hours(
    gateway: Gateway, meta: FakeMetaServer
) -> None:
    first, second = check(gateway, meta.url), check(gateway, meta.url)

    assert [each.handle(JOB) for each in (first, first, second, first)] == [Retry(LOOK_EVERY)] * 4
    assert asked(meta) == 2


def test_what_is_old_is_asked_again(gateway: Gateway, meta: FakeMetaServer) -> None:
    one = check(gateway, meta.url)
    one.handle(JOB)
    known = gateway.store.attention.token()
    assert known is not None
    gateway.store.attention.record_token(replace(known, asked_at=known.asked_at - GOOD_FOR))

    one.handle(JOB)

    assert asked(meta) == 2


def test_what_meta_says_is_recorded(gateway: Gateway, meta: FakeMetaServer) -> None:
    end = (gateway.clock() + timedelta(days=3)).replace(microsecond=0)
    meta.control.state.put("node", "token", {"expires_at": int(end.timestamp())})

    check(gateway, meta.url).handle(JOB)

    known = gateway.store.attention.token()
    assert known is not None
    assert (known.is_valid, known.ends_at, known.reason) == (True, end, "")


def test_a_token_that_meta_refuses_is_recorded_without_being_shown(gateway: Gateway, meta: FakeMetaServer) -> None:
    check(gateway, meta.url, NOBODY).handle(JOB)

    known = gateway.store.attention.token()
    assert known is not None
    assert not known.is_valid
    assert known.reason.startswith("190")
    assert NOBODY not in known.reason


@pytest.mark.parametrize("is_reached", [True, False])
def test_an_answer_that_says_nothing_of_the_token_changes_nothing_and_is_asked_for_ever_less_often(
    gateway: Gateway, meta: FakeMetaServer, is_reached: bool
) -> None:
    known = TokenLife(gateway.store.clock.now(), True)
    gateway.store.attention.record_token(known)
    meta.control.state.put("node", "token", {"is_valid": None})
    one = check(gateway, f"{meta.url}/nothing-here" if is_reached else f"http://127.0.0.1:{free_port()}")

    waits = [one.handle(JOB).delay for _ in range(9)]

    assert (waits[0], waits[1], waits[-1]) == (LOOK_EVERY, LOOK_EVERY * 2, TOKEN_MAX_WAIT)
    assert gateway.store.attention.token() == known
