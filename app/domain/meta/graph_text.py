"""The text of an answer of Graph, as a client of the gateway gets it: without tokens, with our addresses of media."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from app.domain.compact_json import compact_json

TAKEN_OUT = b"[token]"
PAGES = ("next", "previous")
ADDRESSED = (b'"mime_type"', b'"paging"', b'"url"')
SEPARATORS = (b"&", b"\\u0026")
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[\]\[{"])')
_PARAMETER = re.compile(rb"""(^|[?&#;\s"']|\\u0026)access_token=(?:[^&"'\\\s<>]|\\/)*(&|\\u0026)?""")
_MEMBER = re.compile(rb'("access_token"\s*:\s*)"(?:[^"\\]|\\.)*"')


def spellings(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Return these secrets as an answer may repeat them: as they are, quoted for a URL, or with the slashes of JSON.

    The longest comes first: a secret may begin as another one does.
    """
    found = {each for secret in secrets for each in (secret, quote(secret, safe=""), secret.replace("/", "\\/"))}
    return tuple(sorted((each.encode() for each in found if each), key=len, reverse=True))


def masked(text: bytes, secrets: Iterable[bytes]) -> bytes:
    """Return a text without these spellings of secrets."""
    for secret in secrets:
        text = text.replace(secret, TAKEN_OUT)
    return text


def without_tokens(text: bytes, *tokens: str) -> bytes:
    """Return a text without these tokens, without `access_token` in its addresses and with none in its JSON."""
    text = _PARAMETER.sub(_without_parameter, masked(text, spellings(tokens)))
    return _MEMBER.sub(rb'\1"' + TAKEN_OUT + b'"', text)


def chunks_without_tokens(chunks: Iterable[bytes], *tokens: str) -> Iterator[bytes]:
    """Yield the pieces of a file with each of these tokens covered by as many asterisks: its length stays."""
    secrets = spellings(tokens)
    held = b""
    for chunk in chunks:
        held += chunk
        for secret in secrets:
            held = held.replace(secret, b"*" * len(secret))
        ready = len(held) - max((_begun(held, secret) for secret in secrets), default=0)
        if ready:
            yield held[:ready]
        held = held[ready:]
    if held:
        yield held


def _begun(piece: bytes, secret: bytes) -> int:
    """Return how many bytes at the end of a piece may be the beginning of a secret, which ends in the next piece."""
    longest = min(len(secret) - 1, len(piece))
    return next((size for size in range(longest, 0, -1) if secret.startswith(piece[-size:])), 0)


def begins_as_json(start: bytes) -> bool:
    """Return whether a body begins as JSON does, whatever its type says."""
    return _JSON.match(start) is not None


def _without_parameter(found: re.Match[bytes]) -> bytes:
    """Return the separator between the parameters around a removed one."""
    before, behind = found[1], found[2]
    if before in SEPARATORS:
        return behind or b""
    return b"" if behind is None and before in (b"?", b"#") else before


class UnreadableAnswer(ValueError):
    """An answer may have addresses of Meta's, and cannot be read."""


def with_own_addresses(
    text: bytes, of_media: Callable[[str], str], of_page: Callable[[str], str], hosts: Collection[str]
) -> bytes:
    """Return JSON with our addresses in the place of Meta's. Any other text is returned as it is.

    They are the `url` of each media object, and the `next` and `previous` page of a list: a client that follows one
    would give our bearer token to Meta. `hosts`: Meta's, with all below them. A `url` there that has no id beside it
    is left out. Raises `UnreadableAnswer`.
    """
    if not any(word in text for word in ADDRESSED):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if any(host.encode() in text for host in hosts):
            raise UnreadableAnswer from error
        return text
    for found in _objects(document):
        if "url" in found and ("mime_type" in found or _is_at(found["url"], hosts)):
            _set_address(found, of_media)
        paging = found.get("paging")
        if isinstance(paging, dict):
            paging |= {key: of_page(url) for key, url in paging.items() if key in PAGES and isinstance(url, str)}
    return compact_json(document).encode()


def _set_address(found: dict[str, Any], of_media: Callable[[str], str]) -> None:
    if "id" in found:
        found["url"] = of_media(str(found["id"]))
    else:
        del found["url"]


def _is_at(url: Any, hosts: Collection[str]) -> bool:
    try:
        host = urlsplit(str(url)).hostname or ""
    except ValueError:
        return False
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects, at any depth."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            yield value
