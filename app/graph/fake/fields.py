"""Reads the fields of a call from JSON, a form or the query string, as Graph does."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from app.graph.fake.refusals import refuse
from app.graph.fake.wire import Call


@dataclass(frozen=True)
class File:
    """A part of a multipart body that is a file."""

    name: str
    content_type: str
    data: bytes


def fields_of(call: Call) -> dict[str, Any]:
    """Return the fields of a call. If body and query string both have a field, the body's counts."""
    query = {name: _read(value) for name, value in call.query.items() if name != "access_token"}
    match call.content_type:
        case "application/x-www-form-urlencoded":
            body = {name: _read(value) for name, value in parse_qsl(call.body.decode("utf-8", "replace"))}
        case "multipart/form-data":
            body = {}
            for name, part in parts_of(call).items():
                body[name] = part if isinstance(part, File) else _read(part)
        case _:
            body = _json(call.body)
    return query | body


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise refuse("invalid_parameter", "The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise refuse("invalid_parameter", "The request body must be a JSON object.")
    return value


def _read(value: str) -> Any:
    """Return the value of a field of a form. Objects and arrays are written as JSON in a form."""
    if value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def parts_of(call: Call) -> dict[str, str | File]:
    """Return the parts of a multipart body by name."""
    boundary = _parameter(call.headers.get("content-type", ""), "boundary")
    if not boundary:
        raise refuse("invalid_parameter", "The multipart body has no boundary.")
    found: dict[str, str | File] = {}
    for part in (b"\r\n" + call.body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("utf-8", "replace").split("\r\n") if ": " in line)
        headers = {name.lower(): value for name, value in headers.items()}
        disposition = headers.get("content-disposition", "")
        name, filename = _parameter(disposition, "name"), _parameter(disposition, "filename")
        is_file = "filename" in disposition or name == "file"
        content_type = headers.get("content-type", "application/octet-stream")
        found[name] = File(filename, content_type, data) if is_file else data.decode("utf-8", "replace")
    return found


def _parameter(header: str, name: str) -> str:
    """Return a parameter of a header; an empty text if the header does not have it."""
    for part in header.split(";")[1:]:
        key, _, value = part.strip().partition("=")
        if key.lower() == name:
            return value.strip('"')
    return ""
