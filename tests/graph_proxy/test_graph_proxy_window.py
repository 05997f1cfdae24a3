"""A closed customer service window is told to clients of Meta's API as Meta tells it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from app.graph.fake.server import FakeMetaServer
from tests.graph_proxy.test_graph_proxy_sending import posts, send, text
from tests.support.envelopes import change, envelope, in_bytes, inbound_text
from tests.support.serving import Running
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, signed


def let_customer_have_written(running: Running, customer: str, ago: timedelta) -> None:
    """Post a webhook with a customer's message so old, and wait until its window is known."""
    at = str(int((datetime.now(UTC) - ago).timestamp()))
    written = inbound_text(wamid=f"wamid.from.{customer}", sender=customer, timestamp=at)
    body = in_bytes(envelope(change(messages=[written])))
    assert running.ask("POST", PATH, body, signed(body))[0] == 200
    wait_for(lambda: running.json(f"/api/conversations/{customer}/window", bearer())["lastInboundAt"])


def assert_window_closed(status: int, answer: dict[str, Any]) -> None:
    error = answer["error"]
    assert (status, error["code"], error["type"], error["is_transient"]) == (400, 131047, "OAuthException", False)
    assert error["message"].startswith("(#131047) ")
    assert "template" in error["error_data"]["details"]


def test_a_message_outside_of_the_window_is_refused_as_by_meta(running: Running, meta: FakeMetaServer) -> None:
    let_customer_have_written(running, "4915112340025", timedelta(hours=25))

    status, answer = send(running, "4915112340025")

    assert_window_closed(status, answer)
    template = {"type": "template", "template": {"name": "hello", "language": {"code": "en"}}}
    assert send(running, "4915112340025", **template)[0] == 200
    assert [post["type"] for post in posts(meta)] == ["template"]


def test_a_message_whose_window_closes_while_it_waits_is_refused_as_by_meta(
    running: Running, meta: FakeMetaServer
) -> None:
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send, running, "9990003056", **text("refused by Meta at first, so that it waits"))
        wait_for(lambda: posts(meta))
        let_customer_have_written(running, "9990003056", timedelta(hours=25))

        status, answer = sent.result()

    assert_window_closed(status, answer)
    assert len(posts(meta)) < 4
    [failed] = running.json("/api/messages?status=failed&limit=1", bearer())["items"]
    assert failed["id"] in answer["error"]["message"]
    assert failed["error"]["code"] == "window_closed"
