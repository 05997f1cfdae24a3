"""Which call of the Graph API a path means, also to a lenient parser on Meta's side.

A message must not bypass the queue because its path is spelled in another way. So a path is brought into one plain
form, and one that has none is refused.
"""

import re
from dataclasses import dataclass

SENDS = ("messages", "marketing_messages")
NOT_PASSED_ON = {
    "messages_encrypted": "wats cannot read an encrypted message, so it can neither pace nor deduplicate it",
    "async_batch_requests": "make the calls one by one: a batch would pass messages by the queue",
}
UPLOAD_SESSION = "upload:"
PLAIN = "write it in ASCII letters, digits and `. _ ~ : = , @ + | -`, unescaped, without `.` and `..` as segments"
ONE_WAY = "a message is sent by POST to `{phone number id}/messages` or `…/marketing_messages`, and in no other way"

_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,2}", re.ASCII | re.IGNORECASE)
_SEGMENT = re.compile(r"[\w.~:=,@+|-]+", re.ASCII)
_UPLOAD = re.compile(r"upload:[\w/+=:.~,@|-]+", re.ASCII | re.IGNORECASE)
_COLON = re.compile(r":|%3A", re.IGNORECASE)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE = re.compile(r"[\w.~:=,@|-]", re.ASCII)
_WORDS = re.compile(r"\w+", re.ASCII)
_SLASHES = re.compile(r"[/\\]")


@dataclass(frozen=True)
class GraphPath:
    """A call's path in its plain form, as Meta gets it. `version`: as the client asks for it, in lower case.

    `sends`: the number's id and the endpoint, if the path is that of a message.
    """

    path: str
    version: str | None = None
    sends: tuple[str, str] | None = None


@dataclass(frozen=True)
class OddPath:
    """A path that is refused. `reason`: a sentence without its first word and its full stop."""

    reason: str


def graph_path(raw: str) -> GraphPath | OddPath:
    """Return the call that a path means; `raw` is what a client has written behind `graph`, undecoded.

    Doubled slashes, one at the end, and escapes of plain characters mean nothing. An upload's session is opaque: it
    is left as it is written.
    """
    written = [segment for segment in raw.split("/") if segment]
    segments = [_ESCAPED.sub(_plain, segment) for segment in written]
    version = segments[0].lower() if segments and _VERSION.fullmatch(segments[0]) else None
    if version is not None:
        written, segments = written[1:], segments[1:]
    if segments and segments[0].lower().startswith(UPLOAD_SESSION):
        return _session(written, version)
    if any(not _SEGMENT.fullmatch(segment) or not segment.strip(".") for segment in segments):
        return OddPath(f"the path is spelled in a way that may be read in two: {PLAIN}")
    return _call(segments, version)


def _plain(escaped: re.Match[str]) -> str:
    """Return the character of an escape if it means the same without; otherwise the escape."""
    character = chr(int(escaped[1], 16))
    return character if _SAFE.fullmatch(character) else escaped[0]


def _session(written: list[str], version: str | None) -> GraphPath | OddPath:
    """Return the path of an upload's session as it is written, unless something else may be hidden in it."""
    path = "/".join(written)
    decoded = _ESCAPED.sub(lambda escaped: chr(int(escaped[1], 16)), path)
    parts = [part.lower() for part in _SLASHES.split(decoded)]
    hidden = {".", "..", *SENDS, *NOT_PASSED_ON}
    if not path.isascii() or not _UPLOAD.fullmatch(decoded) or hidden & set(parts):
        return OddPath("an upload's session must be written as Meta gave it")
    return GraphPath(_COLON.sub(":", path, count=1), version)


def _call(segments: list[str], version: str | None) -> GraphPath | OddPath:
    names = [segment.lower() for segment in segments]
    words = [word for name in names for word in _WORDS.findall(name)]
    reason = next((NOT_PASSED_ON[word] for word in words if word in NOT_PASSED_ON), None)
    if reason is not None:
        return OddPath(reason)
    if not set(SENDS) & set(words):
        return GraphPath("/".join(segments), version)
    if len(names) != 2 or names[1] not in SENDS or not names[0].isdigit():
        return OddPath(ONE_WAY)
    return GraphPath("/".join(names), version, (names[0], names[1]))
