"""JSON in the body of a request to our API: parsed strictly, and refused with a pointer to each wrong field.

415 for another type, 413 over 1 MiB (a schema's `max_body_bytes` allows more, its `cure_if_too_large` names a cure),
400 for a body that is not JSON, 422 for JSON that does not fit the schema.
Python's own parser accepts duplicate keys and NaN, and raises other errors for very long numbers and deep nesting.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, current_app
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from app.domain.meta.payloads.findings import json_type, nearest
from app.web.body import read_body, refuse_declared_over
from app.web.body_budget import EXTENSION, BodyBudget
from app.web.errors import ApiError

MAX_BODY_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_ERRORS = 50
_NESTING = (dict, list)


class _Refused(ValueError):
    """JSON that Python's parser accepts and we do not; the message is for the client."""


class StrictJson(FlaskParser):
    """Parses and validates bodies for `@bp.arguments(Schema)`."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Return the JSON object in the body. Raises `ApiError` (422) if it is something else."""
        if not req.is_json:
            raise ApiError("unsupported_media_type", "The body must be application/json.")
        limit, cure = getattr(schema, "max_body_bytes", MAX_BODY_BYTES), getattr(schema, "cure_if_too_large", "")
        document = parse_json(body_of(req, limit, cure))
        if not isinstance(document, dict):
            raise _invalid([{"pointer": "", "message": f"must be an object, not {json_type(document)}"}])
        return document

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:  # noqa: ARG002
        """Raise `ApiError` (422) with each error, and a JSON pointer to its field (RFC 6901)."""
        messages = error.messages_dict.get("json", {})
        fields = [{**field, **_near_miss(field, schema)} for field in islice(_field_errors(messages, ""), MAX_ERRORS)]
        raise _invalid(fields) from error


class JsonBlueprint(Blueprint):  # type: ignore[misc]
    """A documented blueprint whose JSON bodies are parsed strictly."""

    ARGUMENTS_PARSER = StrictJson()

    def arguments(self, schema: ma.Schema | type[ma.Schema], **options: Any) -> Callable[..., Any]:
        """Decorate a view that takes JSON of this schema. Its instance is made once, not for each request."""
        made = schema() if isinstance(schema, type) else schema
        decorator: Callable[..., Any] = super().arguments(made, **options)
        return decorator


def _invalid(fields: list[dict[str, str]]) -> ApiError:
    return ApiError("invalid_fields", "Some fields are missing or wrong.", details={"fields": fields})


def body_of(request: Request, limit: int = MAX_BODY_BYTES, cure: str = "") -> bytes:
    """Return the bytes of the body; raise `ApiError` (413) over the limit, with the cure."""
    budget: BodyBudget = current_app.extensions[EXTENSION]
    refuse_declared_over(request.environ, limit, cure)
    return read_body(request.environ, budget, limit=limit, cure=cure)


def parse_json(body: bytes) -> Any:
    """Return the JSON in these bytes. Raises `ApiError` (400)."""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant
        )
        _refuse_deep(document)
        if b"\\u" in body:
            json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is not text
    except _Refused as error:
        raise ApiError("invalid_json", f"The body is not acceptable JSON: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise ApiError("invalid_json", "The body is not JSON in UTF-8.") from error
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _Refused("an object has the same key twice")
    return document


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _Refused("a number is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not allowed")


def _refuse_deep(document: Any) -> None:
    """Check the depth level by level, without recursion. `level` holds the objects and arrays at one depth."""
    level = [document] if isinstance(document, _NESTING) else []
    for _ in range(MAX_DEPTH - 1):
        if not level:
            return
        members = (value.values() if isinstance(value, dict) else value for value in level)
        level = [member for of_one in members for member in of_one if isinstance(member, _NESTING)]
    if any(level):
        raise _Refused(f"it is nested deeper than {MAX_DEPTH} levels")


def _field_errors(messages: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten marshmallow's tree of messages; its key `_schema` stands for the object itself."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _field_errors(inner, pointer if key == "_schema" else f"{pointer}/{_escaped(str(key))}")
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield {"pointer": pointer, "message": str(message)}


def _near_miss(field: Mapping[str, str], schema: ma.Schema) -> dict[str, str]:
    """Return the hint for a key of the body itself that the schema does not know; nothing for any other error."""
    key = field["pointer"].removeprefix("/")
    if "/" in key or field["message"] != schema.error_messages["unknown"]:
        return {}
    hint = nearest(key, {each.data_key or name for name, each in schema.fields.items()})
    return {} if hint is None else {"hint": hint}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
