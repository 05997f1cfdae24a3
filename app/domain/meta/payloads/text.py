"""Text messages. Source: Meta, "Text messages"."""

from app.domain.meta.payloads.structure import Object
from app.domain.meta.payloads.values import Flag, Text

TEXT = Object(
    required={"body": Text(1, 4096)},
    optional={"preview_url": Flag()},
)
