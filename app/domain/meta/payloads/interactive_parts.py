"""The parts that interactive messages share: header, body, footer. Source: Meta, "Interactive messages"."""

import re

from app.domain.meta.payloads.media import ONE_SOURCE, header_document, header_media
from app.domain.meta.payloads.structure import Object, OwnLimit, Rule
from app.domain.meta.payloads.values import Text, Url
from app.domain.meta.payloads.variants import Variants

BODY = Object(required={"text": Text(1, 1024)})
LONG_BODY = Object(required={"text": Text(1, 4096)})
FOOTER = Object(required={"text": Text(1, 60)})

LABEL = Text(1, 20)
"""The text on a button."""
REPLY_ID = Text(1, 256, re.compile(r"\S|\S.*\S", re.DOTALL), "without blanks at its ends")
BUTTON_URL = Url(2000)

_TEXT = Object(required={"text": Text(1, 60)}, optional={"sub_text": OwnLimit(Text(0, 60))})

TEXT_HEADER = Variants("type", {"text": _TEXT})
IMAGE_HEADER = Variants("type", {"image": Object(required={"image": header_media()})})


def any_header(source: Rule = ONE_SOURCE) -> Variants:
    """Return a header of text, image, video or document."""
    return Variants(
        "type",
        {
            "text": _TEXT,
            "image": Object(required={"image": header_media(source)}),
            "video": Object(required={"video": header_media(source)}),
            "document": Object(required={"document": header_document(source)}),
        },
    )


ANY_HEADER = any_header()
