"""Reads the bytes of a file from the folder, or else from Meta, and checks them while they come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from app.domain.media_file import FileState, MediaFile
from app.domain.meta.media import Media
from app.gateway import Gateway
from app.media.calls import checked, download, look_up
from app.media.failures import MediaFailed
from app.web.meta_calls import meta_calls


@dataclass(frozen=True)
class Content:
    """A file that is ready to be sent. `length`: None if it is not known before the end."""

    media: Media
    length: int | None
    pieces: Iterator[bytes]
    close: Callable[[], None]


@dataclass(frozen=True)
class KnownMedia:
    """A file's record, the number that it came to, if it is known, and whether the file is in the folder."""

    media: Media
    phone_number_id: str | None
    is_stored: bool = False


def known_media(gateway: Gateway, media_id: str) -> KnownMedia:
    """Return the description of a file; ask Meta for it if the file is not in the folder.

    Raises `MediaFailed`, and `FolderUnusable` if it is not known whether the folder has the file.
    """
    file = gateway.store.media.find(media_id)
    if file is not None and file.state is FileState.STORED and gateway.media_folder.has(media_id):
        return KnownMedia(stored_media(file), file.phone_number_id, is_stored=True)
    number = None if file is None else file.phone_number_id
    with meta_calls().one():
        return KnownMedia(look_up(gateway.graph, media_id, number), number)


def content_of(gateway: Gateway, known: KnownMedia) -> Content:
    """Return the bytes of a file. Raises `MediaFailed`."""
    media = known.media
    pieces = gateway.media_folder.read(media.id) if known.is_stored else None
    if pieces is not None:
        return Content(media, media.size, _checked_and_repaired(gateway, media, pieces), pieces.close)
    again = partial(look_up, gateway.graph, media.id, known.phone_number_id)
    fetched = download(gateway.graph, again() if media.url is None else media, again)
    return Content(fetched.media, fetched.length, fetched.pieces(), fetched.close)


def _checked_and_repaired(gateway: Gateway, media: Media, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a stored file. If it is damaged, have it fetched again; until that is done, it comes from Meta."""
    try:
        yield from checked(pieces, media)
    except MediaFailed:
        file = gateway.store.media.find(media.id)
        if file is not None and gateway.settings.media.fetch_on_arrival:
            gateway.store.media.fetch_again(file)
        raise


def stored_media(file: MediaFile) -> Media:
    """Return a file of the folder in the form of Meta's description of one."""
    return Media(file.media_id, file.mime_type, file.sha256, file.size, filename=file.filename)
