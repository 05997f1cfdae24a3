"""A small file of each kind, for actions that send one and do not say which."""

import base64
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A file: its id, which is known without an upload, its type and its bytes."""

    id: str
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
    "image": Sample("999000000000001", "image/png", b"\x89PNG\r\n\x1a\n"),
    "video": Sample("999000000000002", "video/mp4", b"\0\0\0\x18ftypmp42"),
    "audio": Sample("999000000000003", "audio/ogg; codecs=opus", b"OggS"),
    "document": Sample("999000000000004", "application/pdf", b"%PDF-1.4\n"),
    "sticker": Sample("999000000000005", "image/webp", b"RIFF\0\0\0\0WEBP"),
}
SAMPLES_BY_ID = {sample.id: sample for sample in SAMPLES.values()}
