"""A form with one file as the body of a request. The file is read while it is sent: it may be larger than memory."""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

PIECE_BYTES = 64 * 1024
_TO_QUOTE = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class FormBody:
    """The bytes of a form: these fields, then the file, of this media type (empty: the service finds it out)."""

    def __init__(self, file: Path, mime_type: str, fields: Mapping[str, str]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._file = file
        disposition = f'--{boundary}\r\nContent-Disposition: form-data; name="{{}}"'
        texts = [f"{disposition.format(name)}\r\n\r\n{value}\r\n" for name, value in fields.items()]
        typed = f"\r\nContent-Type: {mime_type}" if mime_type else ""
        name = file.name.translate(_TO_QUOTE)
        self._head = f'{"".join(texts)}{disposition.format("file")}; filename="{name}"{typed}\r\n\r\n'.encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._length = len(self._head) + file.stat().st_size + len(self._tail)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._file.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
        yield self._tail
