"""A message of every kind as a client may send it: Meta's published shapes, with words and data of our own."""

from typing import Any

from tests.support.payload_interactive import INTERACTIVE
from tests.support.payload_templates import TEMPLATES, body, header, template

TO = "+491701234567"
GROUP = "Y2FwaV9ncm91cDoxMjM0NTY3ODkw"
WAMID = "wamid.HBgNNDkxNzAxMjM0NTY3FQIAERgSNUE3QjlDMUQzRTVGNzA5MTIzAA=="
IMAGE_LINK = "https://cdn.bakery.example/rye.jpg"

_CONTENTS: dict[str, tuple[str, Any]] = {
    "text": ("text", {"body": "Your bread is ready.\nSee https://bakery.example/pick-up", "preview_url": True}),
    "image": ("image", {"link": IMAGE_LINK, "caption": "Rye, 1 kg"}),
    "image by number": ("image", {"id": 4490709327384033}),
    "video": ("video", {"id": "1166846181421424", "caption": "How we knead"}),
    "audio": ("audio", {"id": "1013859600285441"}),
    "voice": ("audio", {"id": "1013859600285441", "voice": True}),
    "document": ("document", {"id": "1376223850470843", "filename": "order-71.pdf", "caption": "Your invoice"}),
    "sticker": ("sticker", {"id": "798882015472548"}),
    "location": (
        "location",
        {"latitude": 52.52, "longitude": "13.405", "name": "Bakery", "address": "Torstr. 1, 10119 Berlin"},
    ),
    "contacts": (
        "contacts",
        [
            {
                "name": {
                    "formatted_name": "Dr. Ada Krume",
                    "first_name": "Ada",
                    "last_name": "Krume",
                    "prefix": "Dr.",
                },
                "birthday": "1990-02-28",
                "phones": [{"phone": "+49 30 1234567", "type": "WORK", "wa_id": "49301234567"}],
                "emails": [{"email": "ada@bakery.example", "type": "WORK"}],
                "urls": [{"url": "https://bakery.example", "type": "Company"}],
                "addresses": [
                    {
                        "street": "Torstr. 1",
                        "city": "Berlin",
                        "state": "BE",
                        "zip": "10119",
                        "country": "Germany",
                        "country_code": "DE",
                        "type": "WORK",
                    }
                ],
                "org": {"company": "Krume GmbH", "department": "Ovens", "title": "Baker"},
            }
        ],
    ),
    "reaction": ("reaction", {"message_id": WAMID, "emoji": "👍"}),
    "reaction taken back": ("reaction", {"message_id": WAMID, "emoji": ""}),
    **{
        f"interactive {kind}": ("interactive", {"type": kind.split(" ")[0], **body})
        for kind, body in INTERACTIVE.items()
    },
    **{f"template {name}": ("template", body) for name, body in TEMPLATES.items()},
}

SAMPLES: dict[str, dict[str, Any]] = {
    **{name: {"to": TO, "type": kind, kind: content} for name, (kind, content) in _CONTENTS.items()},
    "reply": {"to": TO, "type": "text", "text": {"body": "Yes."}, "context": {"message_id": WAMID}},
    "identity check": {
        "to": TO,
        "type": "text",
        "text": {"body": "Your PIN is on its way."},
        "recipient_identity_key_hash": "DF2lS5v2W6x=",
    },
    "user id": {"recipient": "DE.13491208655302741918", "type": "text", "text": {"body": "Good morning"}},
    "parent user id": {"recipient": "DE.ENT.506847293015824", "type": "text", "text": {"body": "Good morning"}},
    "group": {"recipient_type": "group", "to": GROUP, "type": "text", "text": {"body": "Good morning, all"}},
    "pin": {
        "recipient_type": "group",
        "to": GROUP,
        "type": "pin",
        "pin": {"type": "pin", "message_id": WAMID, "expiration_days": 7},
    },
    "unpin": {
        "recipient_type": "group",
        "to": GROUP,
        "type": "pin",
        "pin": {"type": "unpin", "message_id": WAMID},
    },
}

DIRECT_SENDS: dict[str, dict[str, Any]] = {
    "direct text": {
        "to": TO,
        "type": "text",
        "text": {"body": "Order 71 leaves the oven at 9."},
        "category": "utility",
        "ttl_seconds": 600,
        "direct_send_config": {"template_name": "order_ready"},
    },
    "direct code": {
        "to": TO,
        "type": "text",
        "text": {"body": "604213 is your code."},
        "category": "authentication",
        "ttl_seconds": 300,
    },
    "direct service": {"to": TO, "type": "text", "text": {"body": "With or without seeds?"}, "category": "service"},
    "direct service buttons": {
        "to": TO,
        "type": "interactive",
        "interactive": {"type": "button", **INTERACTIVE["button"]},
        "category": "service",
    },
    "direct buttons": {
        "to": TO,
        "type": "interactive",
        "category": "utility",
        "interactive": {
            "type": "button",
            "header": {"type": "image", "image": {"id": "4490709327384033", "link": IMAGE_LINK}},
            "body": {"text": "Order 71 is ready."},
            "footer": {"text": "Krume GmbH"},
            "action": {
                "buttons": [
                    {"type": "cta_url", "cta_url": {"display_text": "Track", "url": "https://bakery.example/71"}},
                    {"type": "reply", "reply": {"id": "late", "title": "I am late"}},
                    {"type": "reply", "reply": {"id": "fine", "title": "Fine"}},
                ]
            },
        },
    },
    "direct url": {
        "to": TO,
        "type": "interactive",
        "category": "utility",
        "interactive": {"type": "cta_url", **INTERACTIVE["cta_url"]},
    },
}

MARKETING: dict[str, Any] = {
    "to": TO,
    "type": "template",
    "template": template(header("gif", {"id": "1166846181421424"}), body("Ada")),
    "product_policy": "CLOUD_API_FALLBACK",
    "message_activity_sharing": True,
}
"""A message for `/marketing_messages`, with what only that endpoint takes."""
