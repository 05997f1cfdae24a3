"""A form with one file (multipart/form-data, RFC 7578), read as it arrives: first its fields, then the file.

The file must be the last part: the code that passes it on needs the fields before its first byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from app.web.errors import ApiError

MAX_BUFFER_BYTES = 256 * 1024
MAX_FIELD_BYTES = 4096
MAX_PARTS = 16
MAX_EPILOGUE_BYTES = 1024
"""The most bytes that may follow the last boundary; most clients send a line break, or nothing."""


@dataclass(frozen=True)
class FilePart:
    """The head of the file. `max_bytes`: the largest possible size of the file, by the declared length of the body.

    It exceeds the real size by what follows the file: at most `MAX_EPILOGUE_BYTES` and a few bytes.
    """

    filename: str
    content_type: str
    max_bytes: int


class FileForm:
    """A form that arrives in these pieces, `length` bytes in all."""

    def __init__(self, pieces: Iterator[bytes], content_type: str, length: int) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if kind.lower() != "multipart/form-data":
            raise ApiError("unsupported_media_type", "The body must be multipart/form-data, with the file in it.")
        if not 0 < len(boundary) <= 70 or not boundary.isascii():  # RFC 2046, 5.1.1
            raise ApiError("invalid_body", "The Content-Type has no boundary, or an invalid one.")
        self._pieces = pieces
        self._length = length
        self._received = 0
        self._end = len(f"\n--{boundary}--")
        self._decoder = MultipartDecoder(boundary.encode(), MAX_BUFFER_BYTES, max_parts=MAX_PARTS)
        self.fields: dict[str, str] = {}

    def read_to_file(self, file_field: str, known: frozenset[str]) -> FilePart:
        """Read the parts before the file into `fields`, and return the file's head. Refuse names not in `known`."""
        while True:
            match self._next():
                case File(name=name) as part if name == file_field:
                    return self._file_part(part)
                case File(name=name) | Field(name=name) as part:
                    self._refuse_unless_known(part, name, file_field, known)
                    self.fields[name] = self._value(name)
                case Epilogue():
                    raise wrong_field(file_field, "is missing: send the file as a part with this name and a filename")

    def read_file(self) -> Iterator[bytes]:
        """Yield the file's bytes. At its end, refuse the form if another part or too much data follows."""
        yield from self._data()
        match self._next():
            case Epilogue(data=rest) if len(rest) <= MAX_EPILOGUE_BYTES:
                return
            case File(name=name) | Field(name=name):
                raise wrong_field(name, "follows the file: send one file, as the last part of the form")
        raise ApiError("invalid_body", "Too much follows the last boundary of the form.")

    def _value(self, name: str) -> str:
        value = bytearray()
        for piece in self._data():
            value += piece
            if len(value) > MAX_FIELD_BYTES:
                raise wrong_field(name, f"is longer than {MAX_FIELD_BYTES} bytes")
        try:
            return value.decode()
        except ValueError as error:
            raise wrong_field(name, "is not text in UTF-8") from error

    def _refuse_unless_known(self, part: Event, name: str | None, file_field: str, known: frozenset[str]) -> None:
        if name == file_field:
            raise wrong_field(name, "has no filename, so it is no file: give it one")
        if isinstance(part, File) or name not in known:
            allowed = ", ".join(sorted({file_field, *known}))
            raise wrong_field(name or "", f"is not known here; the form may have {allowed}")
        if name in self.fields:
            raise wrong_field(name, "is in the form twice")

    def _file_part(self, part: File) -> FilePart:
        headers: Headers = part.headers
        arrived = self._received - len(self._decoder.buffer)
        max_bytes = max(0, self._length - arrived - self._end)
        return FilePart(part.filename, headers.get("content-type", ""), max_bytes)

    def _data(self) -> Iterator[bytes]:
        while True:
            event = self._next()
            assert isinstance(event, Data), "a part has data until its boundary"
            if event.data:
                yield event.data
            if not event.more_data:
                return

    def _next(self) -> Event:
        """Return the next event of the decoder; feed it as long as it needs more."""
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                piece = next(self._pieces, None)
                self._received += len(piece or b"")
                self._decoder.receive_data(piece)
        except RequestEntityTooLarge as error:
            raise ApiError("invalid_body", "The form has too many parts, or too large headers.") from error
        except ValueError as error:
            raise ApiError("invalid_body", "The form is cut short, or not multipart/form-data.") from error
        return event


def wrong_field(name: str, reason: str) -> ApiError:
    """Return the error that refuses one field of a form."""
    pointer = "/" + name[:100].replace("~", "~0").replace("/", "~1")
    fields = [{"pointer": pointer, "message": f"{reason[0].upper()}{reason[1:]}."}]
    return ApiError("invalid_fields", "Some fields are missing or wrong.", details={"fields": fields})
