"""The limits of the fake Meta are real token buckets, by the fake's clock."""

import json

from app.graph.fake.buckets import PAIR, of_number
from app.graph.fake.people import user_id_of
from tests.support.envelopes import NUMBER
from tests.support.fake_meta import CalledMeta, error_of


def test_a_bucket_gives_its_burst_and_then_one_token_at_a_time() -> None:
    bucket, full_at, given = of_number(80, burst=80), None, 0

    for tick in range(3 * 400):
        full_at, had_one = bucket.take(full_at, now=tick / 400)
        given += had_one

    assert given == 80 + 3 * 80 - 1


def test_a_refusal_costs_no_token() -> None:
    full_at = None
    for _ in range(60):
        full_at, _ = PAIR.take(full_at, now=0)

    assert [PAIR.take(full_at, now=seconds)[1] for seconds in (5.9, 6)] == [False, True]


def test_one_customer_gets_45_at_once_and_then_one_in_six_seconds(meta: CalledMeta) -> None:
    burst = [meta.send().status for _ in range(46)]
    meta.clock.advance(6)
    later = [meta.send() for _ in range(2)]

    assert burst == [200] * 45 + [400]
    assert [answer.status for answer in later] == [200, 400]
    assert error_of(later[1])["code"] == 131056


def test_a_number_and_its_user_id_are_one_customer(meta: CalledMeta) -> None:
    for _ in range(45):
        meta.send("+9990000000")

    assert error_of(meta.send(None, recipient="XX.FAKE0000"))["code"] == 131056


def test_a_user_id_that_statuses_name_is_the_customer_of_the_number(meta: CalledMeta) -> None:
    refused = [meta.send(None, recipient=user_id_of("4915112345678")).status for _ in range(20)]
    refused += [meta.send("+4915112345678").status for _ in range(26)]
    meta.clock.advance(6)
    answer = meta.send(None, recipient=meta.statuses[-1][1]["recipient_user_id"])

    assert refused == [200] * 45 + [400]
    assert json.loads(answer.body)["contacts"] == [
        {"input": user_id_of("4915112345678"), "user_id": user_id_of("4915112345678")}
    ]
    assert "recipient_id" not in meta.statuses[0][1]
    assert meta.statuses[-1][1]["recipient_id"] == "4915112345678"


def test_a_number_that_is_too_fast_is_refused_and_another_is_not(meta: CalledMeta) -> None:
    meta.switch(number_rate=10, number_burst=10)
    statuses = [meta.send(f"+49151000000{n:02}").status for n in range(12)]

    other = meta.ask("POST", "9876543211/messages", {"messaging_product": "whatsapp", "to": "+491", "text": {}})
    assert statuses == [200] * 10 + [400] * 2
    assert error_of(meta.ask("POST", f"{NUMBER}/messages", None))["code"] == 100
    assert error_of(other)["code"] != 130429
