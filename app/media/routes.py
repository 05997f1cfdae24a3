"""The API of media: upload, look up, download and delete files, and list those that were received."""

import logging
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, request, url_for

from app.domain.media_file import FileState
from app.domain.meta.media import MEDIA_ID, Media
from app.domain.meta.media_types import MAX_MEDIA_BYTES, extension_of
from app.domain.meta.usage import asked_delay
from app.media.calls import delete
from app.media.content import Content, KnownMedia, content_of, known_media
from app.media.failures import MediaFailed
from app.media.schemas import FORM, SHOWN_STATES, MediaFileSchema, MediaSchema, UploadedSchema, file_json, media_json
from app.media.upload import upload_form
from app.store.media_folder import FolderUnusable
from app.web.current import gateway
from app.web.errors import ApiError, no_such
from app.web.guards import bearer, guarded_by
from app.web.json_body import JsonBlueprint
from app.web.meta_calls import meta_calls, retry_as_asked
from app.web.middleware import REQUEST_ID, TRACE, Environ
from app.web.multipart import FileForm
from app.web.openapi_operations import refuses
from app.web.paging import PAGE_PARAMETERS, cursor_of, page_request
from app.web.query_parameters import accepts_query
from app.web.schemas import page_of
from app.web.streamed_body import stream_body
from app.web.transfers import TransferBroken, sent_in_time, transfers

log = logging.getLogger(__name__)

bp = JsonBlueprint("media", __name__, description="Files of messages.")

MAX_FORM_BYTES = MAX_MEDIA_BYTES + 64 * 1024
MAX_ROW_ID = 2**63 - 1
ROW = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
NEVER_RENDERED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""The file comes from a customer: a browser must not run it as a page of ours."""

STATE = {"in": "query", "name": "state", "schema": {"type": "string", "enum": SHOWN_STATES}}
BYTES = {"type": "string", "format": "binary"}


@bp.post("/media")
@guarded_by(bearer("send"))
@refuses("length_required", "media_refused", "meta_refused", "meta_unavailable")
@bp.doc(requestBody=FORM)
@bp.response(201, UploadedSchema)
def upload_media() -> Response:
    """Upload a file to Meta. Its type and size are checked before, and while it is passed on as it arrives."""
    length = request.content_length or 0
    with transfers().one():
        pieces = stream_body(request.environ, MAX_FORM_BYTES)
        form = FileForm(pieces, request.headers.get("Content-Type", ""), length)
        try:
            uploaded = upload_form(gateway().graph, form, gateway().settings.whatsapp.phone_number_ids)
        except MediaFailed as failure:
            raise _error(failure) from failure
    response = jsonify(UploadedSchema().dump(uploaded))
    response.status_code = 201
    response.headers["Location"] = url_for("media.show_media", media_id=uploaded.id)
    return response


@bp.get("/media")
@guarded_by(bearer("read"))
@accepts_query(bp, STATE, *PAGE_PARAMETERS)
@bp.response(200, page_of(MediaFileSchema))
def list_media() -> dict[str, Any]:
    """List the received files that are fetched on arrival, newest first."""
    requested = page_request(ROW)
    before = MAX_ROW_ID if requested.after is None else int(requested.after)
    files = gateway().store.media.page(state=_state(), before=before, limit=requested.limit)
    is_full = len(files) == requested.limit
    next_cursor = cursor_of(str(files[-1].row_id)) if is_full else None
    return {"items": [file_json(file) for file in files], "nextCursor": next_cursor}


@bp.get("/media/<media_id>")
@guarded_by(bearer("read"))
@refuses("busy", "meta_refused", "meta_unavailable")
@bp.response(200, MediaSchema)
def show_media(media_id: str) -> dict[str, Any]:
    """Show what is known of a file. Its `url` is the gateway's, and needs the gateway's token."""
    known = _known(media_id)
    media = known.media
    base = gateway().settings.service.public_url or ""
    return media_json(media, base + url_for("media.media_content", media_id=media.id), stored=known.is_stored)


@bp.get("/media/<media_id>/content")
@guarded_by(bearer("read"))
@refuses("busy", "meta_refused", "meta_unavailable")
@bp.response(200, BYTES, content_type="*/*")
@bp.alt_response(304, description="The client has the file: it sent its SHA-256 in `If-None-Match`.")
def media_content(media_id: str) -> Response:
    """Download a file, as it comes from Meta or from the folder.

    The connection is cut before the end if the file that arrives is not the one that Meta has announced.
    """
    known = _known(media_id)
    media = known.media
    if media.sha256 is not None and request.if_none_match.contains(media.sha256):
        return Response(status=304, headers=_headers(media))
    if request.method == "HEAD":
        return _response(media, media.size, ())
    end = transfers().begin()
    try:
        content = content_of(gateway(), known)
        return _sending(content, end)
    except MediaFailed as failure:
        end()
        raise _error(failure) from failure
    except BaseException:
        end()
        raise


@bp.delete("/media/<media_id>")
@guarded_by(bearer("send"))
@refuses("busy", "meta_refused", "meta_unavailable")
@bp.response(204)
def delete_media(media_id: str) -> Response:
    """Delete a file at Meta, and in the folder."""
    file = gateway().store.media.find(_sane(media_id))
    try:
        with meta_calls().one():
            delete(gateway().graph, media_id, file)
    except MediaFailed as failure:
        if failure.code != "not_found" or file is None:
            raise _error(failure) from failure
    if file is not None:
        gateway().store.media.delete(file)
        _remove_deleted()
    return Response(status=204)


@bp.post("/media/<media_id>/fetch")
@guarded_by(bearer("operate"))
@refuses("not_fetching")
@bp.response(202, MediaFileSchema)
def fetch_media(media_id: str) -> dict[str, Any]:
    """Fetch a received file again, such as one that was given up. Meta has it for 7 days."""
    if not gateway().settings.media.fetch_on_arrival:
        raise ApiError("not_fetching", "media.fetchOnArrival is not set, so that nothing fetches files.")
    store = gateway().store
    file = store.media.find(_sane(media_id))
    if file is None:
        raise ApiError("not_found", "This file is not among those that were to be fetched on arrival.")
    store.media.fetch_again(file)
    return file_json(store.media.find(media_id) or file)


def _sending(content: Content, end: Callable[[], None]) -> Response:
    """Return the response with a file, once its first piece is here: until then a failure can still be answered."""
    try:
        first = next(content.pieces, b"")
    except BaseException:
        content.close()
        raise
    pieces = _pieces(content, first, request.environ)
    response = _response(content.media, content.length, pieces)

    def close() -> None:
        content.close()
        end()

    response.call_on_close(close)
    return response


def _pieces(content: Content, first: bytes, environ: Environ) -> Iterator[bytes]:
    try:
        yield from sent_in_time(chain([first] if first else [], content.pieces))
    except MediaFailed as failure:
        ids = {"request_id": environ[REQUEST_ID], "trace_id": environ[TRACE].trace_id}
        log.warning("media.cut_off", extra={**ids, "reason": failure.summary})
        raise TransferBroken(failure.reason) from failure


def _response(media: Media, length: int | None, pieces: Any) -> Response:
    response = Response(pieces, mimetype=None, headers=_headers(media))
    if length is not None:
        response.headers["Content-Length"] = str(length)
    return response


def _headers(media: Media) -> dict[str, str]:
    name = media.filename or f"{media.id}{extension_of(media.mime_type)}"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    tag = {} if media.sha256 is None else {"ETag": f'"{media.sha256}"'}
    return {
        "Content-Type": media.mime_type,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        **NEVER_RENDERED,
        **tag,
    }


def _known(media_id: str) -> KnownMedia:
    try:
        return known_media(gateway(), _sane(media_id))
    except MediaFailed as failure:
        raise _error(failure) from failure
    except FolderUnusable as unusable:
        raise ApiError(
            "unavailable", f"The file was fetched, and its folder cannot be read: {unusable}."
        ) from unusable


def _sane(media_id: str) -> str:
    """Return the id if it may be part of Meta's path and the name of a file. Raises `ApiError` (404)."""
    if not MEDIA_ID.fullmatch(media_id):
        raise no_such("media", media_id)
    return media_id


def _error(failure: MediaFailed) -> ApiError:
    asked = asked_delay(failure.headers, gateway().clock())
    headers = retry_as_asked(asked) if failure.code == "meta_unavailable" else {}
    return ApiError(failure.code, failure.reason, details=failure.details, headers=headers)


def _remove_deleted() -> None:
    try:
        gateway().store.media.remove_deleted(gateway().media_folder)
    except FolderUnusable as unusable:
        raise ApiError(
            "unavailable", f"The file is deleted at Meta, not yet in the folder: {unusable}."
        ) from unusable


def _state() -> FileState | None:
    value = request.args.get("state")
    if value is not None and value not in SHOWN_STATES:
        raise ApiError("invalid_parameter", f"state must be one of {', '.join(SHOWN_STATES)}.")
    return None if value is None else FileState(value)
