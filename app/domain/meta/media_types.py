"""Which files Meta takes as media, and how large each may be. Source: Meta, "Media", supported types.

Meta itself looks into a file: the resolution of a sticker, or the codec of a video, is not judged here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

KILOBYTE, MEGABYTE = 1024, 1024 * 1024
MAX_MEDIA_BYTES = 100 * MEGABYTE
"""The size of the largest file that Meta takes or passes on: a document."""

_IMAGE, _VIDEO, _AUDIO, _STICKER = 5 * MEGABYTE, 16 * MEGABYTE, 16 * MEGABYTE, 500 * KILOBYTE
_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True)
class MediaType:
    """A type of files: the extensions of their names, the first one for names that we make, and their limit."""

    mime_type: str
    extensions: tuple[str, ...]
    max_bytes: int = MAX_MEDIA_BYTES


MEDIA_TYPES: Mapping[str, MediaType] = {
    known.mime_type: known
    for known in (
        MediaType("image/jpeg", ("jpg", "jpeg"), _IMAGE),
        MediaType("image/png", ("png",), _IMAGE),
        MediaType("image/webp", ("webp",), _STICKER),
        MediaType("video/mp4", ("mp4",), _VIDEO),
        MediaType("video/3gpp", ("3gp",), _VIDEO),
        MediaType("audio/aac", ("aac",), _AUDIO),
        MediaType("audio/amr", ("amr",), _AUDIO),
        MediaType("audio/mpeg", ("mp3",), _AUDIO),
        MediaType("audio/mp4", ("m4a",), _AUDIO),
        MediaType("audio/ogg", ("ogg", "oga", "opus"), _AUDIO),
        MediaType("application/pdf", ("pdf",)),
        MediaType("text/plain", ("txt",)),
        MediaType("application/msword", ("doc",)),
        MediaType("application/vnd.ms-excel", ("xls",)),
        MediaType("application/vnd.ms-powerpoint", ("ppt",)),
        MediaType(f"{_OFFICE}.wordprocessingml.document", ("docx",)),
        MediaType(f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
        MediaType(f"{_OFFICE}.presentationml.presentation", ("pptx",)),
    )
}
UNSPECIFIC = ("application/octet-stream", "binary/octet-stream")
"""The types that programs write if they do not know the type of a file."""

_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # noqa: S105 - a part of a pattern
_MIME_TYPE = re.compile(rf'{_TOKEN}/{_TOKEN}(?:\s*;\s*{_TOKEN}=(?:{_TOKEN}|"[ !#-\[\]-~]*"))*', re.ASCII)
_BY_EXTENSION = {extension: known for known in MEDIA_TYPES.values() for extension in known.extensions}
_DOCUMENTS = ("application", "text")
_OPUS = ("audio/opus", "audio/webm")


def is_mime_type(text: str) -> bool:
    """Return whether a text is a media type with its parameters, as in a `Content-Type`."""
    return len(text) <= 255 and _MIME_TYPE.fullmatch(text) is not None


def bare(mime_type: str) -> str:
    """Return a media type without its parameters, which Meta keeps and does not compare."""
    return mime_type.partition(";")[0].strip().lower()


def type_of_name(filename: str) -> str | None:
    """Return the media type that the extension of a file's name stands for; None if it is none of Meta's."""
    known = _BY_EXTENSION.get(filename.rpartition(".")[2].lower())
    return known.mime_type if known else None


def limit_of(mime_type: str) -> int | None:
    """Return how many bytes a file of this type may have at most; None if Meta does not take such a file.

    A document of a type that Meta does not list is left to Meta, which takes most of them.
    """
    plain = bare(mime_type)
    if known := MEDIA_TYPES.get(plain):
        return known.max_bytes
    is_document = plain.partition("/")[0] in _DOCUMENTS and plain not in UNSPECIFIC
    return MAX_MEDIA_BYTES if is_document else None


def extension_of(mime_type: str) -> str:
    """Return the extension, with its dot, for a name of a file of this type; empty for an unknown type."""
    known = MEDIA_TYPES.get(bare(mime_type))
    return f".{known.extensions[0]}" if known else ""


def hint_for(mime_type: str) -> str:
    """Return which types may be sent in the place of one that Meta does not take."""
    if bare(mime_type) in _OPUS:
        return "a voice message is audio/ogg; codecs=opus"
    family = bare(mime_type).partition("/")[0]
    same = [known for known in MEDIA_TYPES if known.startswith(f"{family}/")] if family != "application" else []
    return f"one of {', '.join(same or MEDIA_TYPES)}"
