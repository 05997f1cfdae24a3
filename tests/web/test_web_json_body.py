"""JSON bodies at a door: whatever comes, the answer is a value or one refusal in our shape, never a 500."""

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
def door(app: Flask) -> FlaskClient:
    """A route that takes an order and gives it back."""
    bp = JsonBlueprint("orders", __name__)

    @bp.post("/orders")
    @guarded_by(bearer("read"))
    @bp.arguments(OrderSchema)
    def take(order: dict[str, Any]) -> str:
        return json.dumps(order)

    app.register_blueprint(bp)
    return app.test_client()


def post(door: FlaskClient, body: bytes, content_type: str = "application/json") -> TestResponse:
    return door.post("/orders", data=body, headers=token(), content_type=content_type)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/x+json"]
)
def test_what_a_client_says_arrives(door: FlaskClient, content_type: str) -> None:
    answer = post(door, '{"name":"Ada é","parts":[{"number":123456789012345678901}]}'.encode(), content_type)

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
def test_what_is_no_json_is_refused(door: FlaskClient, body: bytes) -> None:
    assert refusal(post(door, body)) == (400, "invalid_json")


def test_nesting_that_somebody_may_mean_is_taken(door: FlaskClient) -> None:
    answer = post(door, b'{"name":"a","extra":' + b"[" * 40 + b"]" * 40 + b"}")

    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_type_is_refused(door: FlaskClient, content_type: str) -> None:
    assert refusal(post(door, b'{"name":"a"}', content_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 200), (1024 * 1024 + 1, 413)])
def test_a_body_may_have_one_mebibyte(door: FlaskClient, size: int, status: int) -> None:
    body = b'{"name":"a"}'

    answer = post(door, body + b" " * (size - len(body)))

    assert answer.status_code == status


def test_each_wrong_field_is_told_with_a_pointer(door: FlaskClient) -> None:
    answer = post(door, b'{"parts":[{"number":1},{"number":"x"},3],"a/b~c":1}')

    assert refusal(answer) == (422, "invalid_fields")
    fields = answer.get_json()["error"]["details"]["fields"]
    assert {field["pointer"] for field in fields} == {"/name", "/parts/1/number", "/parts/2", "/a~1b~0c"}
    assert all(field["message"] for field in fields)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"name"', b"7", b"true"])
def test_what_is_no_object_is_told_at_the_root(door: FlaskClient, body: bytes) -> None:
    answer = post(door, body)

    assert refusal(answer) == (422, "invalid_fields")
    assert [field["pointer"] for field in answer.get_json()["error"]["details"]["fields"]] == [""]


def test_thousands_of_mistakes_are_not_all_told(door: FlaskClient) -> None:
    answer = post(door, json.dumps({str(number): 1 for number in range(10_000)}).encode())

    assert answer.status_code == 422
    assert len(answer.data) < 10_000


def test_a_stranger_is_refused_before_the_body_is_looked_at(door: FlaskClient) -> None:
    assert door.post("/orders", data=b"nope", content_type="application/json").status_code == 401
