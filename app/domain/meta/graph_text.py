"""The text of an answer of Graph, made fit for a client of ours: without tokens, and with our addresses of media."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

TAKEN_OUT = b"[token]"
_PARAMETER = re.compile(rb"""([?&]|\\u0026)access_token=(?:[^&"'\\\s<>]|\\/)*(&|\\u0026)?""")
_MEMBER = re.compile(rb'("access_token"\s*:\s*)"(?:[^"\\]|\\.)*"')


def without_tokens(text: bytes, *tokens: str) -> bytes:
    """Return a text without these tokens, without `access_token` in its addresses and with none in its JSON."""
    for token in tokens:
        for spelling in {token, quote(token, safe="")}:
            text = text.replace(spelling.encode(), TAKEN_OUT)
    text = _PARAMETER.sub(_without_parameter, text)
    return _MEMBER.sub(rb'\1"' + TAKEN_OUT + b'"', text)


def _without_parameter(found: re.Match[bytes]) -> bytes:
    """Return what stands between the parameters before and behind."""
    before, behind = found[1], found[2]
    return b"" if behind is None else before if before == b"?" else behind


def with_own_media(text: bytes, address_of: Callable[[str], str]) -> bytes:
    """Return JSON in which the `url` of each media object is ours. Any other text is returned as it is."""
    if b'"mime_type"' not in text:
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for media in _media(document):
        media["url"] = address_of(str(media["id"]))
    return json.dumps(document, separators=(",", ":")).encode()


def _media(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the media objects, at any depth."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            if {"id", "url", "mime_type"} <= value.keys():
                yield value
