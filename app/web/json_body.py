"""JSON in the body of a request to our API: read strictly, and refused in our shape with a pointer for each field.

415 for another type, 413 over 1 MiB, 400 for what is no JSON, 422 for JSON that does not say what it must. Python's
own reader takes doubled keys and NaN, and answers endless digits or brackets with an exception of its own.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, current_app
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from app.web.body import EXTENSION, BodyBudget, read_body, refuse_declared_over
from app.web.errors import ApiError

LARGEST_BODY = 1024 * 1024
DEEPEST = 64
MAX_ERRORS = 50


class _NoJson(ValueError):
    """Text that our JSON must not be; the message is for the client."""


class StrictJson(FlaskParser):
    """Reads and checks bodies for `@bp.arguments(Schema)`."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:  # noqa: ARG002
        """The JSON of the body."""
        if not req.is_json:
            raise ApiError("unsupported_media_type", "The body must be application/json.")
        budget: BodyBudget = current_app.extensions[EXTENSION]
        refuse_declared_over(req.environ, LARGEST_BODY)
        return parsed(read_body(req.environ, budget, limit=LARGEST_BODY))

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:  # noqa: ARG002
        """The body does not say what it must: tell each mistake with a pointer to its place (RFC 6901)."""
        mistakes = list(_mistakes(error.messages_dict.get("json", {}), ""))[:MAX_ERRORS]
        raise ApiError("invalid_fields", "Some fields are missing or wrong.", details={"fields": mistakes}) from error


class JsonBlueprint(Blueprint):  # type: ignore[misc]
    """A documented blueprint whose JSON bodies are read strictly."""

    ARGUMENTS_PARSER = StrictJson()


def parsed(body: bytes) -> Any:
    """The JSON in these bytes; `ApiError` if there is none, or more than anybody means."""
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant
        )
        _refuse_deep(document)
        if b"\\u" in body:
            json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except _NoJson as error:
        raise ApiError("invalid_json", f"The body is not the JSON we take: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise ApiError("invalid_json", "The body is no JSON in UTF-8.") from error
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _NoJson("a key stands twice in one object")
    return made


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _NoJson("a number is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise _NoJson(f"{name} is no number")


def _refuse_deep(document: Any) -> None:
    """Level by level, so that the check itself needs no deep stack."""
    level = [document]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise _NoJson(f"it is nested deeper than {DEEPEST} levels")


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _mistakes(messages: Any, pointer: str) -> Iterator[dict[str, str]]:
    """marshmallow's tree of messages as a flat list; `_schema` stands for the object itself."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _mistakes(inner, pointer if key == "_schema" else f"{pointer}/{_escaped(str(key))}")
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield {"pointer": pointer, "message": str(message)}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
