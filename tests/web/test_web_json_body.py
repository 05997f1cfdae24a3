"""JSON bodies: the response is the parsed value or an error in our form, never a 500."""

import json
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from tests.support.webhooks import bearer as token


class PartSchema(ma.Schema):
    number = ma.fields.Integer(required=True, strict=True)


class OrderSchema(ma.Schema):
    name = ma.fields.String(required=True, validate=ma.validate.Length(max=10))
    parts = ma.fields.List(ma.fields.Nested(PartSchema))
    extra = ma.fields.Raw()


@pytest.fixture
def orders(app: Flask) -> FlaskClient:
    """A client of a route that takes an order and returns it."""
    bp = JsonBlueprint("orders", __name__)

    @bp.post("/orders")
    @guarded_by(bearer("read"))
    @bp.arguments(OrderSchema)
    def take(order: dict[str, Any]) -> str:
        return json.dumps(order)

    app.register_blueprint(bp)
    return app.test_client()


def post(orders: FlaskClient, body: bytes, content_type: str = "application/json") -> TestResponse:
    return orders.post("/orders", data=body, headers=token(), content_type=content_type)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"]
)
def test_a_valid_body_is_parsed(orders: FlaskClient, content_type: str) -> None:
    answer = post(orders, '{"name":"Ada é","parts":[{"number":123456789012345678901}]}'.encode(), content_type)

    assert answer.status_code == 200
    assert json.loads(answer.text) == {"name": "Ada é", "parts": [{"number": 123456789012345678901}]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nope",
        b'{"name":',
        b'{"name":"a"} {}',
        b'\xef\xbb\xbf{"name":"a"}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"name":"a","name":"b"}',
        b'{"name":"a","extra":{"x":1,"x":1}}',
        b'{"name":NaN}',
        b'{"name":"a","extra":-Infinity}',
        b'{"name":"a","extra":1e999}',
        b'{"name":"a","extra":' + b"9" * 5000 + b"}",
        b'{"name":"a","extra":' + b"[" * 65 + b"]" * 65 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "{}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_not_json_is_refused(orders: FlaskClient, body: bytes) -> None:
    assert refusal(post(orders, body)) == (400, "invalid_json")


def test_moderate_nesting_is_accepted(orders: FlaskClient) -> None:
    answer = post(orders, b'{"name":"a","extra":' + b"[" * 40 + b"]" * 40 + b"}")

    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_type_is_refused(orders: FlaskClient, content_type: str) -> None:
    assert refusal(post(orders, b'{"name":"a"}', content_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 200), (1024 * 1024 + 1, 413)])
def test_a_body_may_have_one_mebibyte(orders: FlaskClient, size: int, status: int) -> None:
    body = b'{"name":"a"}'

    answer = post(orders, body + b" " * (size - len(body)))

    assert answer.status_code == status


def test_each_wrong_field_is_named_by_a_pointer(orders: FlaskClient) -> None:
    answer = post(orders, b'{"parts":[{"number":1},{"number":"x"},3],"a/b~c":1}')

    assert refusal(answer) == (422, "invalid_fields")
    fields = answer.get_json()["error"]["details"]["fields"]
    assert {field["pointer"] for field in fields} == {"/name", "/parts/1/number", "/parts/2", "/a~1b~0c"}
    assert all(field["message"] for field in fields)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"name"', b"7", b"true"])
def test_a_body_that_is_not_an_object_is_an_error_at_the_root(orders: FlaskClient, body: bytes) -> None:
    answer = post(orders, body)

    assert refusal(answer) == (422, "invalid_fields")
    assert [field["pointer"] for field in answer.get_json()["error"]["details"]["fields"]] == [""]


def test_the_number_of_field_errors_in_a_response_is_limited(orders: FlaskClient) -> None:
    answer = post(orders, json.dumps({str(number): 1 for number in range(10_000)}).encode())

    assert answer.status_code == 422
    assert len(answer.data) < 10_000


def test_a_request_without_a_token_is_refused_before_its_body_is_read(orders: FlaskClient) -> None:
    assert orders.post("/orders", data=b"nope", content_type="application/json").status_code == 401
