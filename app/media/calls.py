"""The calls of the Graph API about files: upload, look up, download, delete. A failure is `MediaFailed`."""

import hashlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from app.domain.media_file import MediaFile
from app.domain.meta.body import Unreadable, read_body
from app.domain.meta.media import Media, media_of
from app.domain.meta.media_types import MAX_MEDIA_BYTES, bare
from app.graph.call import GraphApi, GraphReply, GraphRequest, GraphUnreachable
from app.media.failures import MediaFailed, failure_of

MAX_ANSWER_BYTES = 256 * 1024
EXPIRED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
"""The status with which a file's address answers after its five minutes. The answer is a page of HTML."""

HTML = "text/html"
NO_FILE = "Meta knows this id, but it is not that of a file."


class Download:
    """A file that is being downloaded from Meta. `length`: its size, if that is known before its end.

    Its last piece comes only after the size and the digest of the whole file were found right; else the pieces raise
    `MediaFailed`. The caller closes it.
    """

    def __init__(self, media: Media, reply: GraphReply) -> None:
        self.media = media
        self._reply = reply
        length = reply.header("content-length") or ""
        self.length = int(length) if length.isdecimal() else media.size
        if self.length is not None and self.length > MAX_MEDIA_BYTES:
            reply.close()
            raise MediaFailed("meta_refused", f"The file is larger than {MAX_MEDIA_BYTES} bytes.")

    def pieces(self) -> Iterator[bytes]:
        """Yield the file."""
        return checked(self._arriving(), self.media)

    def close(self) -> None:
        """Give the connection back, or close it."""
        self._reply.close()

    def _arriving(self) -> Iterator[bytes]:
        try:
            yield from self._reply.chunks
        except GraphUnreachable as failure:
            raise _unreachable(failure) from failure


def checked(pieces: Iterator[bytes], media: Media) -> Iterator[bytes]:
    """Yield the pieces of a file; hold the last one back until size and digest are those of the file."""
    digest, size, held = hashlib.sha256(), 0, b""
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        if size > MAX_MEDIA_BYTES:
            raise MediaFailed("meta_refused", f"The file is larger than {MAX_MEDIA_BYTES} bytes.")
        if held:
            yield held
        held = piece
    if media.size is not None and size != media.size:
        raise MediaFailed("meta_unavailable", f"The file has arrived with {size} of {media.size} bytes.")
    if media.sha256 is not None and digest.hexdigest() != media.sha256:
        raise MediaFailed("meta_unavailable", "The file that has arrived is damaged: its SHA-256 is another one.")
    if held:
        yield held


def look_up(graph: GraphApi, media_id: str, number: str | None = None) -> Media:
    """Return Meta's description of a file, with an address that works for five minutes.

    Meta returns any object by its id, so that one that is not a file counts as not found. `number`: the phone number
    id that the file came to, if known.
    """
    document = _ask(graph, "GET", media_id, number)
    media = media_of(document)
    if media is None or "mime_type" not in document or document.get("messaging_product") != "whatsapp":
        raise MediaFailed("not_found", NO_FILE)
    if media.url is None:
        raise MediaFailed("meta_unavailable", "Meta's answer about the file names no address.")
    return media


def download(graph: GraphApi, media: Media, again: Callable[[], Media]) -> Download:
    """Begin to download a file. If its address does not work any more, `again` is asked once for a new one."""
    reply = _get(graph, media)
    if reply.status in EXPIRED or _is_page(reply, media):
        reply.close()
        media = again()
        reply = _get(graph, media)
    if reply.status != HTTPStatus.OK or _is_page(reply, media):
        reply.close()
        raise MediaFailed("meta_unavailable", f"Meta does not hand out the file: it answered HTTP {reply.status}.")
    return Download(media, reply)


def delete(graph: GraphApi, media_id: str, file: MediaFile | None) -> None:
    """Delete a file at Meta. `file`: the stored one with this id, if it was received.

    Any other id is looked up before: Meta would delete whatever has the id, such as a flow, a group or a catalog.
    """
    if file is None:
        look_up(graph, media_id)
    _ask(graph, "DELETE", media_id, file.phone_number_id if file is not None else None)


def upload(graph: GraphApi, number: str, content_type: str, body: Iterator[bytes], length: int) -> str:
    """Upload a file to a number, and return its id. Errors that the body raises are passed on."""
    headers = [("Content-Type", content_type)]
    request = GraphRequest("POST", f"{number}/media", headers=headers, body=body, length=length)
    media = media_of(_answer(_reached(lambda: graph.call(request)), is_upload=True))
    if media is None:
        raise MediaFailed("meta_unavailable", "Meta's answer to the upload names no id: try again.")
    return media.id


def _get(graph: GraphApi, media: Media) -> GraphReply:
    assert media.url is not None, "a file that was looked up has an address"
    url = media.url
    return _reached(lambda: graph.download(url))


def _ask(graph: GraphApi, method: str, media_id: str, number: str | None) -> dict[str, Any]:
    query = "" if number is None else urlencode({"phone_number_id": number})
    return _answer(_reached(lambda: graph.call(GraphRequest(method, quote(media_id, safe=""), query))))


def _reached(call: Callable[[], GraphReply]) -> GraphReply:
    try:
        return call()
    except GraphUnreachable as failure:
        raise _unreachable(failure) from failure


def _answer(reply: GraphReply, *, is_upload: bool = False) -> dict[str, Any]:
    """Return the JSON of a success. Raise the `MediaFailed` of any other answer."""
    try:
        with reply:
            content = reply.read(MAX_ANSWER_BYTES)
    except GraphUnreachable as failure:
        raise _unreachable(failure) from failure
    try:
        document = read_body(content)
    except Unreadable:
        document = None
    if reply.status != HTTPStatus.OK or document is None:
        failed = failure_of(reply.status, document, is_upload=is_upload)
        failed.headers = {name.title(): value for name, value in reply.headers}
        raise failed
    return document


def _is_page(reply: GraphReply, media: Media) -> bool:
    """Return whether the answer is a page of HTML in place of the file: an error with the status of a success."""
    return (
        reply.status == HTTPStatus.OK
        and bare(reply.header("content-type") or "") == HTML
        and bare(media.mime_type) != HTML
    )


def _unreachable(failure: GraphUnreachable) -> MediaFailed:
    failed = MediaFailed("meta_unavailable", f"Meta was not reached ({failure.reason}); try again.")
    if failure.retry_seconds is not None:
        failed.headers = {"Retry-After": str(failure.retry_seconds)}
    return failed
