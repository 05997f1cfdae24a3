"""A small file of each kind, for customers who send one without saying which."""

import base64
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A file: its type and its bytes."""

    mime_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Return the digest as webhooks have it."""
        return digest_of(self.data)


def digest_of(data: bytes) -> str:
    """Return a SHA-256 in base64, as webhooks have it; the Graph API has it in hexadecimal digits."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


SAMPLES = {
    "image": Sample("image/png", b"\x89PNG\r\n\x1a\n"),
    "video": Sample("video/mp4", b"\0\0\0\x18ftypmp42"),
    "audio": Sample("audio/ogg; codecs=opus", b"OggS"),
    "document": Sample("application/pdf", b"%PDF-1.4\n"),
    "sticker": Sample("image/webp", b"RIFF\0\0\0\0WEBP"),
}
