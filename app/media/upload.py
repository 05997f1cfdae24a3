"""Turns a client's upload into a form for Meta while it arrives. The file is never held as a whole."""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.meta.media_types import UNSPECIFIC, bare, hint_for, is_mime_type, limit_of, type_of_name
from app.graph.call import GraphApi
from app.media.calls import upload
from app.web.errors import ApiError
from app.web.multipart import MAX_EPILOGUE_BYTES, FileForm, FilePart, wrong_field

FILE = "file"
FIELDS = frozenset({"from", "phoneNumberId", "type", "messaging_product"})
SLACK_BYTES = MAX_EPILOGUE_BYTES + 8
"""Until the file ends, its size is known from the length of the client's body only within this many bytes."""

PADDING = "X-Padding: "
_TO_QUOTE = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True)
class Uploaded:
    """A file that Meta has taken."""

    id: str
    phone_number_id: str
    mime_type: str
    size: int
    sha256: str


def upload_form(graph: GraphApi, form: FileForm, numbers: tuple[str, ...]) -> Uploaded:
    """Pass a client's file on to one of these numbers. Raises `ApiError` for the form, `MediaFailed` for Meta."""
    part = form.read_to_file(FILE, FIELDS)
    number, mime_type = _number(form.fields, numbers), _type(form.fields.get("type"), part)
    limit = limit_of(mime_type)
    if limit is None:
        raise wrong_field(FILE, f"is {bare(mime_type)}, which Meta does not take; {hint_for(mime_type)}")
    if part.max_bytes - SLACK_BYTES > limit:
        raise _too_large(mime_type, limit)
    body = _Body(part, form.read_file(), mime_type, limit)
    try:
        media_id = upload(graph, number, body.content_type, iter(body), body.length)
    except Exception as error:
        raise body.failure or error from error
    return Uploaded(media_id, number, mime_type, body.size, body.sha256)


class _Body:
    """The form for Meta. Its length goes first, when the size of the file is not known exactly yet.

    So the form has the length for the largest possible file, and padding in a header of the last part fills what the
    file lacks: a receiver ignores unknown headers of parts (RFC 7578, 4.8).
    """

    def __init__(self, part: FilePart, pieces: Iterator[bytes], mime_type: str, limit: int) -> None:
        boundary = f"wats-{secrets.token_hex(16)}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.size = 0
        self.failure: ApiError | None = None
        self._digest = hashlib.sha256()
        self._pieces, self._mime_type, self._limit, self._max_bytes = pieces, mime_type, limit, part.max_bytes
        field = 'Content-Disposition: form-data; name="{}"'
        name = part.filename.translate(_TO_QUOTE) or FILE
        file = f'{field.format(FILE)}; filename="{name}"\r\nContent-Type: {mime_type}'
        product = f"{field.format('messaging_product')}\r\n\r\nwhatsapp"
        self._head = f"--{boundary}\r\n{product}\r\n--{boundary}\r\n{file}\r\n\r\n".encode()
        self._before_padding = f"\r\n--{boundary}\r\n{PADDING}".encode()
        self._tail = f"\r\n{field.format('type')}\r\n\r\n{mime_type}\r\n--{boundary}--\r\n".encode()
        self.length = len(self._head) + part.max_bytes + len(self._before_padding) + len(self._tail)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes that were passed on, in hexadecimal digits."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._head
            yield from self._file()
        except ApiError as error:
            self.failure = error
            raise
        yield self._before_padding + b"x" * (self._max_bytes - self.size) + self._tail

    def _file(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            if self.size > self._limit:
                raise _too_large(self._mime_type, self._limit)
            self._digest.update(piece)
            yield piece
        if not self.size:
            raise wrong_field(FILE, "is empty")


def _number(fields: dict[str, str], numbers: tuple[str, ...]) -> str:
    given = {name: fields[name] for name in ("from", "phoneNumberId") if name in fields}
    if not given:
        return numbers[0]
    name, number = next(iter(given.items()))
    if number not in numbers or len(set(given.values())) > 1:
        raise wrong_field(name, f"must be a phone number id of the profile; one of {', '.join(numbers)}")
    return number


def _type(given: str | None, part: FilePart) -> str:
    """Return the type of the file: from the field, from the part, or from the ending of the file's name."""
    stated = given or part.content_type
    if stated and not is_mime_type(stated):
        raise wrong_field("type" if given else FILE, "has no media type such as image/jpeg")
    if stated and bare(stated) not in UNSPECIFIC:
        return stated
    by_name = type_of_name(part.filename)
    if by_name is None:
        raise wrong_field(FILE, "has no type: give its part a Content-Type, or send the field `type` before it")
    return by_name


def _too_large(mime_type: str, limit: int) -> ApiError:
    return ApiError("body_too_large", f"Meta takes at most {limit} bytes of {bare(mime_type)}; the file is larger.")
