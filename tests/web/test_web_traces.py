"""The trace of a request: joined or made, told in the answer, and not told to strangers who look for routes."""

import pytest
from flask.testing import FlaskClient

from app.domain.trace import TraceContext
from app.gateway import Gateway
from tests.support.webhooks import PATH, bearer, body_of, signed

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-00"}


def test_a_webhook_joins_the_trace_of_its_caller_and_its_receipt_keeps_it(
    client: FlaskClient, gateway: Gateway
) -> None:
    body = body_of()

    answer = client.post(PATH, data=body, headers={**signed(body), **CALLER})

    [receipt] = gateway.store.receipts.pending(limit=1, max_bytes=1)
    told = TraceContext.read(answer.headers["traceresponse"])
    assert told is not None
    assert (told.trace_id, told.flags) == (TRACE, 0)
    assert told.span_id != SPAN
    assert receipt.trace == told


def test_a_request_without_a_valid_traceparent_gets_a_trace(client: FlaskClient) -> None:
    headers = [bearer(), {**bearer(), "traceparent": f"00-{'0' * 32}-{SPAN}-01"}]

    answers = [client.get("/api/receipts", headers=each).headers["traceresponse"] for each in headers]

    traces = {told.trace_id for answer in answers if (told := TraceContext.read(answer)) is not None}
    assert len(traces) == 2


@pytest.mark.parametrize("path", ["/status", "/metrics", "/nowhere", "/healthz", "/api/nowhere"])
def test_an_answer_of_no_route_of_the_api_tells_no_trace(client: FlaskClient, path: str) -> None:
    assert "traceresponse" not in client.get(path, headers=CALLER).headers
