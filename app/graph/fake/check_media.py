"""Check the media of a message, and web addresses."""

import re
from urllib.parse import urlsplit

from app.graph.fake.refusals import refuse
from app.graph.fake.values import Json, maybe_text, of_object, of_text, of_truth, wrong

MEDIA_KEYS = {
    "image": {"caption"},
    "video": {"caption"},
    "audio": {"voice"},
    "document": {"caption", "filename"},
    "sticker": set[str](),
}


def check_media(
    parent: Json, kind: str, path: str = "", extra: set[str] | None = None, *, may_have_both: bool = False
) -> None:
    """Check a media object: an uploaded file's id, or a link; for some both."""
    media = of_object(parent, kind, path, {"id", "link", *(MEDIA_KEYS[kind] if extra is None else extra)})
    if ("id" in media) == ("link" in media) and not ("id" in media and may_have_both):
        raise refuse("missing", f"Exactly one of {kind}['id'] and {kind}['link'] is required.")
    if "link" in media:
        check_link(media, "link", kind)
    if "id" in media and not isinstance(media["id"], int):
        of_text(media, "id", kind, 64)
    maybe_text(media, "filename", kind, 1024)
    of_truth(media, "voice", kind)
    if media.get("caption"):
        of_text(media, "caption", kind, 1024)


def check_link(parent: Json, key: str, path: str, most: int = 2048) -> None:
    """Check a web address."""
    url = urlsplit(of_text(parent, key, path, most))
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"\s", parent[key]):
        raise wrong(path, key, "must be a valid URL")
