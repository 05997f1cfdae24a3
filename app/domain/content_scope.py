"""Scopes of some messages of an account: a template, a flow, marketing to a customer, replies or first messages.

Such a scope holds back only the messages that belong to it, and is resumed by a webhook, by its time or by hand.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.meta.account_state import INITIATED, REPLIES
from app.domain.meta.graph_errors import ErrorScope
from app.domain.window import Window

CONTENT_SCOPES = (ErrorScope.TEMPLATE, ErrorScope.FLOW, ErrorScope.CONTACT)
MARKETING = "marketing:"
PREFIXES = ("template:", "flow:", MARKETING, INITIATED, REPLIES)
MAX_NAME = 100
"""The longest name of a scope that the store and the API take."""

MAX_PART = 60
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


@dataclass(frozen=True)
class Content:
    """The template of a message, with its language, and its flow; None if it has none."""

    template: str | None = None
    language: str | None = None
    flow: str | None = None


@dataclass(frozen=True)
class Sent:
    """A message to a customer as its scopes see it. `account`: that of its number; the number if it is not known."""

    account: str
    phone_number_id: str
    contact: int
    endpoint: str
    content: Content

    def names(self, scope: ErrorScope) -> list[str]:
        """Return the names of the scopes of this kind that the message belongs to."""
        if scope is ErrorScope.TEMPLATE:
            return self._template()
        if scope is ErrorScope.FLOW:
            flow = self.content.flow
            return self._template() if flow is None else [part(f"flow:{self.account}", flow)]
        return self._marketing() if scope is ErrorScope.CONTACT else []

    @property
    def every_name(self) -> set[str]:
        """The names of all scopes of content that the message belongs to."""
        return {name for scope in CONTENT_SCOPES for name in self.names(scope)}

    def _template(self) -> list[str]:
        content = self.content
        return [] if content.template is None else [template_scope(self.account, content.template, content.language)]

    def _marketing(self) -> list[str]:
        """Meta does not say what a template is for. One that was refused as marketing is known to be so."""
        name = marketing_scope(self.phone_number_id, self.contact)
        of_endpoint = [name] if self.endpoint == "marketing_messages" else []
        template = self.content.template
        return of_endpoint if template is None else [*of_endpoint, part(name, template)]


def template_scope(account: str, name: str, language: str | None) -> str:
    """Return the name of the scope of a template in one language."""
    return part(f"template:{account}", f"{name}.{language}")


def marketing_scope(phone_number_id: str, contact: int) -> str:
    """Return the name of the scope of marketing to a contact."""
    return f"{MARKETING}{phone_number_id}:{contact}"


def contact_of_scope(name: str) -> int | None:
    """Return the contact that a scope is about; None if it is about none."""
    return int(name.split(":")[2]) if name.startswith(MARKETING) else None


def whole_of(name: str) -> str:
    """Return the scope that a scope is a part of: all marketing to the contact; itself if it is no part."""
    return ":".join(name.split(":")[:3]) if name.startswith(MARKETING) else name


def conversation_scope(account: str, window: Window, now: datetime, *, is_exempt: bool) -> str:
    """Return the name of the scope of a message by the side that has begun the conversation.

    A customer without a known message may have written before the gateway was installed: what Meta takes within a
    window only is a reply then.
    """
    is_reply = window.is_open(now) or (window.last_inbound_at is None and not is_exempt)
    return f"{REPLIES if is_reply else INITIATED}{account}"


def part(scope: str, text: str) -> str:
    """Return the name of a part of a scope: with the part's text, or with a digest of it if it does not fit."""
    name = f"{scope}:{text}"
    if len(text) <= MAX_PART and len(name) <= MAX_NAME and _PLAIN.fullmatch(text):
        return name
    return f"{scope}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def content_of(body: bytes) -> Content:
    """Return the template or the flow in the body of a message."""
    document = json.loads(body)
    template = _object(document, "template")
    if isinstance(name := template.get("name"), str):
        code = _object(template, "language").get("code")
        return Content(name, code if isinstance(code, str) else None)
    parameters = _object(_object(_object(document, "interactive"), "action"), "parameters")
    flow = parameters.get("flow_id") or parameters.get("flow_name")
    return Content(flow=flow if isinstance(flow, str) else None)


def _object(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
