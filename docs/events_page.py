"""Makes docs/events.md: the shape of an event, and one example of every type."""

import json
from collections.abc import Iterator
from itertools import groupby

from app.domain.event import EVENT_VERSION
from app.domain.event_json import event_json
from app.domain.meta.webhook_fields import LIST_FIELDS, VALUE_FIELDS
from app.web.examples import example_events

INTRODUCTION = f"""# Events

Generated from the code by `make docs`.

An event is one thing that happened: one message, one status, one call, one change of a template. A webhook of Meta
may hold a thousand of them; each comes out as an event of its own, is stored, pushed and pulled by itself, and has
the same id however often and in whatever batch Meta sends it.

| field | is |
| --- | --- |
| `id` | `evt_` and 32 hex digits; the same on every attempt and for every repetition of Meta's. |
| `version` | {EVENT_VERSION}. It is raised when a field is taken away or means something else; fields may be added. |
| `type` | Dotted, as below. Globs select some: `message.*`, `*.status.*`. |
| `sequence` | Rises with every event that was stored. |
| `occurredAt` | When it happened, as Meta tells: by the item, else by its entry, else when the webhook came. |
| `receivedAt`, `receiptId` | The webhook that it was split out of. |
| `wabaId`, `phoneNumberId` | The account, and the business number; null where Meta names none. |
| `foreign` | Of a number that the profile did not list when it came: stored, not pushed. |
| `contact` | The customer, as far as known: `userId` (stable), `parentUserId`, `waId`, `username`, `profileName`. |
| `data` | What Meta tells about it. Names of ours are camelCase; Meta's objects have Meta's names and are whole. |
| `raw` | Meta's item exactly, but that numbers which JSON cannot tell (`1e999`) are strings. |

`data.tracker` is your own `biz_opaque_callback_data`. A reaction that was taken back has `data.removed`. Two sides of
a change of identity are `data.previous` and `data.current`.

What we do not know, or can make no sense of, is `unknown.<field>` (`unknown.envelope` where there is no field): still
one event for each item, still delivered, with `raw` telling all and `data` nothing. So new types may come at any
time: let your handler pass over those that it does not know.

Write down what you have handled by `id`: an event is delivered at least once.
"""
FAMILIES = {
    "message": "What customers write, and what became of what the business wrote (`message.status.*`).",
    "error": "An error that Meta tells of no message in particular.",
    "call": "Calls, and what became of those that the business makes.",
    "automatic": "What Meta found out by itself, such as an order in a conversation.",
    "tracking": "Clicks and the like.",
    "contact": "What has changed about a customer.",
    "echo": "What the business sent with the WhatsApp Business app.",
    "history": "Messages from before the number came to the platform, piece by piece.",
    "app_state": "The address book of the WhatsApp Business app.",
    "conversation": "A conversation that is handed over to another application.",
    "group": "Groups.",
    "template": "Message templates.",
    "account": "The WhatsApp Business account.",
    "business": "The business behind it.",
    "phone_number": "A business phone number.",
    "flow": "Flows, by the event that Meta names.",
    "partner": "Solutions of partners.",
    "payment": "Payments.",
    "unknown": "What we do not know.",
}


def events_page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_fields(), *_families()])


def _fields() -> Iterator[str]:
    yield "Meta's fields that come out typed: " + ", ".join(
        f"`{field}`" for field in sorted({**LIST_FIELDS, **VALUE_FIELDS})
    )
    yield ""


def _families() -> Iterator[str]:
    events = sorted(example_events().values(), key=lambda event: list(FAMILIES).index(_family(event.type)))
    for family, members in groupby(events, key=lambda event: _family(event.type)):
        yield f"## {family}\n"
        yield FAMILIES[family] + "\n"
        for event in members:
            yield f"### {event.type}\n"
            yield f"```json\n{json.dumps(event_json(event), indent=2, ensure_ascii=False)}\n```\n"


def _family(type_: str) -> str:
    return type_.partition(".")[0]
