"""Image, video, audio, document, sticker; also as the header of other messages.

Source: Meta, "Media" and the page of each kind. What a file may hold is checked when it is uploaded, not here.
"""

from app.domain.meta.payloads.rules import AtLeastOne, ExactlyOne
from app.domain.meta.payloads.structure import Object, OwnLimit, Rule
from app.domain.meta.payloads.values import Checker, Flag, MetaId, Text, Url

SOURCE: dict[str, Checker] = {"id": OwnLimit(MetaId()), "link": OwnLimit(Url(2048, warns_of_http=True))}
CAPTION: dict[str, Checker] = {"caption": Text(0, 1024)}
FILENAME: dict[str, Checker] = {"filename": OwnLimit(Text(1, 1024))}

ONE_SOURCE = ExactlyOne("id", "link")
ANY_SOURCE = AtLeastOne("id", "link")

INBOUND = "it is a field of received media; to send the file on, download it and upload it again"
MISPLACED = {
    "animated": INBOUND,
    "mime_type": INBOUND,
    "sha256": INBOUND,
    "url": "a public URL belongs in `link`",
    "provider": "it was for the On-Premises API; put the file where no login is needed",
    "caption": "only image, video and document have a caption",
    "filename": "only a document has a file name",
    "voice": "only audio can be a voice message",
}

IMAGE = Object(optional=SOURCE | CAPTION, misplaced=MISPLACED, rules=(ONE_SOURCE,))
VIDEO = Object(optional=SOURCE | CAPTION, misplaced=MISPLACED, rules=(ONE_SOURCE,))
AUDIO = Object(optional=SOURCE | {"voice": Flag()}, misplaced=MISPLACED, rules=(ONE_SOURCE,))
DOCUMENT = Object(optional=SOURCE | CAPTION | FILENAME, misplaced=MISPLACED, rules=(ONE_SOURCE,))
STICKER = Object(optional=SOURCE, misplaced=MISPLACED, rules=(ONE_SOURCE,))

HEADER_HAS_NO_CAPTION = MISPLACED | {"caption": "a header has no caption; write it into the body"}


def header_media(source: Rule = ONE_SOURCE) -> Object:
    """Return the image or video of a header."""
    return Object(optional=SOURCE, misplaced=HEADER_HAS_NO_CAPTION, rules=(source,))


def header_document(source: Rule = ONE_SOURCE) -> Object:
    """Return the document of a header."""
    return Object(optional=SOURCE | FILENAME, misplaced=HEADER_HAS_NO_CAPTION, rules=(source,))
