"""The body of a call: its fields are looked through for what is not passed on, and a file is streamed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Request
from werkzeug.sansio.multipart import Epilogue, Field, File, MultipartDecoder, NeedData, Preamble

from app.domain.meta.graph_fields import names_of_query, refused_field
from app.domain.meta.graph_path import UPLOAD_SESSION, GraphPath
from app.web.body import declared_length
from app.web.errors import ApiError
from app.web.json_body import body_of, parse_json
from app.web.streamed_body import stream_body

MAX_FILE_BYTES = 110 * 1024 * 1024
"""Meta's largest files have 100 megabytes; a form is around them."""

MAX_FIELD_BYTES = 1024 * 1024
MAX_PARTS = 100
MALFORMED = "the multipart body is malformed, or something stands around its parts"
_MULTIPART = re.compile(r'multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z_+.-]{1,70})\1', re.IGNORECASE)
_NAMES = re.compile(r"""[;\s]name(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))""", re.IGNORECASE)

JSON, FORM, BYTES = "application/json", "application/x-www-form-urlencoded", "application/octet-stream"


@dataclass(frozen=True)
class Body:
    """The body of a call as Meta gets it. `length`: of a stream. `kind`: its Content-Type, written by us."""

    content: bytes | Iterator[bytes] = b""
    length: int | None = None
    kind: str | None = None


def checked_body(request: Request, call: GraphPath) -> Body:
    """Return the body of a call as it is passed on. Raises `ApiError` if a field of it is refused, or too large.

    Of a stream the error comes while it is read: Meta then never gets the end of it. What is uploaded in a session is
    not looked at: it is sent as bytes, in which nobody looks for fields.
    """
    length = declared_length(request.environ)
    if length == 0:
        return Body()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _refusal("a body is sent as it is, without a Content-Encoding")
    if call.path.lower().startswith(UPLOAD_SESSION):
        return Body(stream_body(request.environ, MAX_FILE_BYTES), length, BYTES)
    match request.mimetype:
        case "application/json":
            return Body(_checked_json(request), kind=JSON)
        case "application/x-www-form-urlencoded":
            return Body(_checked_form(request), kind=FORM)
        case "multipart/form-data":
            boundary = _boundary(request)
            parts = _checked_parts(stream_body(request.environ, MAX_FILE_BYTES), boundary)
            return Body(parts, length, f"multipart/form-data; boundary={boundary.decode()}")
        case _:
            raise _refusal("the body must be JSON, a form, or multipart with a file")


def _checked_json(request: Request) -> bytes:
    body = body_of(request)
    document = parse_json(body)
    if not isinstance(document, dict):
        raise _refusal("the JSON must be an object")
    _check(document)
    return body


def _checked_form(request: Request) -> bytes:
    body = body_of(request)
    _check(names_of_query(body.decode("latin-1")))
    return body


def _boundary(request: Request) -> bytes:
    found = _MULTIPART.fullmatch(request.content_type or "")
    if found is None:
        raise _refusal("the Content-Type of a multipart body must have a boundary and nothing else")
    return found[2].encode()


def _checked_parts(pieces: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """Yield a multipart body, its end only when all of it was looked at and is well-formed."""
    decoder = MultipartDecoder(boundary, max_form_memory_size=MAX_FIELD_BYTES, max_parts=MAX_PARTS)
    held = b""
    for piece in pieces:
        _look_at(decoder, piece)
        if held:
            yield held
        held = piece
    _look_at(decoder, None)
    yield held


def _look_at(decoder: MultipartDecoder, piece: bytes | None) -> None:
    """Check the parts that begin in this piece; None is the end. Nothing may stand before or behind the parts."""
    try:
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                _check(_names_of_part(event))
            if isinstance(event, Preamble) and event.data.strip():
                raise _refusal(MALFORMED)
        if isinstance(event, Epilogue) and event.data.strip():
            raise _refusal(MALFORMED)
    except ValueError as error:
        raise _refusal(MALFORMED) from error


def _names_of_part(part: Field | File) -> list[str]:
    """Return every name that a reader might take for the part's."""
    dispositions = part.headers.getlist("Content-Disposition")
    found = [match for disposition in dispositions for match in _NAMES.finditer(disposition)]
    if any(match[1] for match in found):
        raise _refusal("a part's name is written as `name`, not as `name*`")
    return [part.name or "", *(match[2] or match[3] or "" for match in found)]


def _check(names: Iterable[str]) -> None:
    if reason := refused_field(names):
        raise _refusal(reason)


def _refusal(reason: str) -> ApiError:
    return ApiError("not_passed_on", f"wats does not pass this on: {reason}.")
