"""Reads the bytes of a file from the folder, or else from Meta, and checks them while they come."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.domain.media_file import FileState, MediaFile
from app.domain.meta.media import Media
from app.gateway import Gateway
from app.media.calls import checked, download, look_up
from app.media.failures import MediaFailed


@dataclass(frozen=True)
class Content:
    """A file that is ready to be sent. `length`: None if it is not known before the end."""

    media: Media
    length: int | None
    pieces: Iterator[bytes]
    close: Callable[[], None]


def known_media(gateway: Gateway, media_id: str) -> tuple[Media, bool]:
    """Return what is known of a file, and whether it is in the folder. Raises `MediaFailed`."""
    file = gateway.store.media.find(media_id)
    if file is not None and file.state is FileState.STORED and gateway.media_folder.has(media_id):
        return stored_media(file), True
    return look_up(gateway.graph, media_id, file.phone_number_id if file is not None else None), False


def content_of(gateway: Gateway, media: Media, *, stored: bool) -> Content:
    """Return the bytes of a file. Raises `MediaFailed`."""
    pieces = gateway.media_folder.read(media.id) if stored else None
    if pieces is not None:
        return Content(media, media.size, _checked_and_repaired(gateway, media, pieces), pieces.close)
    if media.url is None:
        media = look_up(gateway.graph, media.id)
    fetched = download(gateway.graph, media, again=lambda: look_up(gateway.graph, media.id))
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
