"""Media: uploading, the address of a file for five minutes, its bytes, deleting."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from app.graph.fake.fields import File, fields_of
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import refuse
from app.graph.fake.samples import SAMPLES_BY_ID
from app.graph.fake.wire import Answer, Call, html_answer, json_answer

MEGABYTE = 1024 * 1024
ADDRESS_SECONDS = 300
ATTACHMENTS = "whatsapp_business/attachments/"
DOCUMENTS = 100 * MEGABYTE
LIMITS = {
    **dict.fromkeys(("image/jpeg", "image/png"), 5 * MEGABYTE),
    **dict.fromkeys(("video/mp4", "video/3gpp"), 16 * MEGABYTE),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * MEGABYTE),
    "image/webp": 500 * 1024,
    **dict.fromkeys(("text/plain", "application/pdf", "application/msword", "application/vnd.ms-excel"), DOCUMENTS),
    "application/vnd.ms-powerpoint": DOCUMENTS,
}
OFFICE = "application/vnd.openxmlformats-officedocument."


def upload(meta: Meta, call: Call, number_id: str) -> Answer:
    """Keep a file of a number."""
    number = meta.number(number_id)
    fields = fields_of(call)
    file = fields.get("file")
    if fields.get("messaging_product") != "whatsapp":
        raise refuse("invalid_parameter", "The parameter messaging_product is required.")
    if not isinstance(file, File):
        raise refuse("invalid_parameter", "The parameter file is required.")
    mime_type = str(fields.get("type") or file.content_type)
    bare = mime_type.partition(";")[0].strip().lower()
    limit = DOCUMENTS if bare.startswith(OFFICE) else LIMITS.get(bare)
    if limit is None:
        raise refuse("invalid_parameter", f"Param file must be a file with one of the supported types; it is {bare}.")
    if len(file.data) > limit:
        raise refuse("invalid_parameter", f"Param file of type {bare} must have at most {limit} bytes.")
    return json_answer({"id": keep(meta, number.id, mime_type, file.data, file.name)})


def keep(meta: Meta, number_id: str, mime_type: str, data: bytes, name: str = "") -> str:
    """Keep a file; return its id."""
    media_id = meta.ids.digits("media")
    facts = {"number": number_id, "mime_type": mime_type, "size": len(data), "name": name}
    meta.state.put("media_bytes", media_id, data)
    meta.state.put("media", media_id, {**facts, "sha256": hashlib.sha256(data).hexdigest()})
    return media_id


def known(meta: Meta, media_id: str, number_id: str | None = None) -> dict[str, Any]:
    """Return what is known of a file; refuse an unknown one, and one of a number of another account."""
    media = _find(meta, media_id)
    if media is None or not _may_see(meta, number_id, media["number"]):
        raise refuse("unknown_object", id=media_id)
    return media


def _find(meta: Meta, media_id: str) -> dict[str, Any] | None:
    """Return a known file; a sample belongs to every number."""
    if sample := SAMPLES_BY_ID.get(media_id):
        facts = {"number": None, "mime_type": sample.mime_type, "size": len(sample.data), "name": ""}
        return {**facts, "sha256": hashlib.sha256(sample.data).hexdigest()}
    media: dict[str, Any] | None = meta.state.get("media", media_id)
    return media


def _bytes_of(meta: Meta, media_id: str) -> bytes:
    sample = SAMPLES_BY_ID.get(media_id)
    return sample.data if sample else meta.state.get("media_bytes", media_id) or b""


def _may_see(meta: Meta, number_id: str | None, owner_id: str | None) -> bool:
    """Return whether a number (None: any) is of the same account as a file's number (None: any)."""
    if number_id is None or owner_id is None:
        return True
    number, owner = meta.accounts.number(number_id), meta.accounts.number(owner_id)
    return number is not None and owner is not None and number.waba == owner.waba


def get_media(meta: Meta, call: Call, media_id: str) -> Answer:
    """Return where a file is."""
    media = known(meta, media_id, call.query.get("phone_number_id"))
    return json_answer(
        {
            "messaging_product": "whatsapp",
            "url": address_of(meta, call.origin, media_id),
            "mime_type": media["mime_type"],
            "sha256": media["sha256"],
            "file_size": media["size"],
            "id": media_id,
        }
    )


def address_of(meta: Meta, origin: str, media_id: str) -> str:
    """Return an address of a file that holds for five minutes."""
    return address_from(meta.clock.now(), origin, media_id)


def address_from(now: float, origin: str, media_id: str) -> str:
    """Return an address of a file that holds for five minutes from this time on."""
    until = int(now) + ADDRESS_SECONDS
    return f"{origin}/{ATTACHMENTS}?mid={media_id}&ext={until}&hash={_hash(media_id, until)}"


def _hash(media_id: str, until: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{media_id}:{until}".encode()).digest()).decode()[:27]


def download(meta: Meta, call: Call) -> Answer:
    """Return the bytes of a file; to a stranger, or at an address that is over, a page of HTML."""
    media_id, until = call.query.get("mid", ""), call.query.get("ext", "0")
    media = _find(meta, media_id)
    is_over = not until.isdigit() or int(until) <= meta.clock.now()
    if media is None or is_over or call.query.get("hash") != _hash(media_id, int(until)):
        return html_answer(404)
    name = quote(media["name"] or "file")
    headers = {"Content-Type": media["mime_type"], "Content-Disposition": f"attachment;filename={name}"}
    return Answer(200, _bytes_of(meta, media_id), headers)


def delete_media(meta: Meta, call: Call, media_id: str) -> Answer:
    """Forget a file."""
    known(meta, media_id, call.query.get("phone_number_id"))
    meta.state.delete("media_bytes", media_id)
    return json_answer({"success": meta.state.delete("media", media_id)})


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", r"(\d{1,32})/media", upload),
    ("GET", ATTACHMENTS, download),
]
