"""The form of media on the wire."""

from typing import Any

import marshmallow as ma

from app.domain.media_file import FileState, MediaFile
from app.domain.meta.media import Media
from app.web.schemas import CamelSchema, Timestamp

SHOWN_STATES = [state.value for state in FileState if state is not FileState.DELETED]

FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "from": {"type": "string", "description": "The phone number id that the file is for."},
                    "phoneNumberId": {"type": "string", "description": "The same, under its longer name."},
                    "type": {"type": "string", "description": "The media type, if the part of the file has none."},
                    "messaging_product": {"type": "string", "description": "As Meta has it; it is not needed."},
                    "file": {"type": "string", "format": "binary", "description": "The file, the last part."},
                },
            }
        }
    },
}


class MediaSchema(CamelSchema):
    """A file. `url`: where its bytes are, at the gateway. `sha256`: in hexadecimal digits."""

    id = ma.fields.String(required=True)
    mime_type = ma.fields.String(required=True)
    size = ma.fields.Integer(allow_none=True, required=True)
    sha256 = ma.fields.String(allow_none=True, required=True)
    url = ma.fields.String(required=True)
    stored = ma.fields.Boolean(required=True, metadata={"description": "Whether the gateway has kept the file."})


class UploadedSchema(CamelSchema):
    """A file that Meta has taken. Messages name it by its `id`."""

    id = ma.fields.String(required=True)
    phone_number_id = ma.fields.String(required=True)
    mime_type = ma.fields.String(required=True)
    size = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)


class MediaFileSchema(CamelSchema):
    """A received file that is fetched on arrival, and how far that is."""

    id = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=ma.validate.OneOf(SHOWN_STATES))
    phone_number_id = ma.fields.String(allow_none=True, required=True)
    mime_type = ma.fields.String(required=True)
    filename = ma.fields.String(allow_none=True, required=True)
    size = ma.fields.Integer(allow_none=True, required=True)
    sha256 = ma.fields.String(allow_none=True, required=True)
    attempts = ma.fields.Integer(required=True)
    last_error = ma.fields.String(allow_none=True, required=True)
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)


def media_json(media: Media, url: str, *, stored: bool) -> dict[str, Any]:
    """Return a file as the schema takes it."""
    known = {name: getattr(media, name) for name in ("id", "mime_type", "size", "sha256")}
    return {**known, "url": url, "stored": stored}


def file_json(file: MediaFile) -> dict[str, Any]:
    """Return a received file as the schema takes it."""
    return {**vars(file), "id": file.media_id, "state": file.state.value}
