"""Generate docs/events.md: the fields of an event, and an example of every type."""

import json
from collections.abc import Iterator
from itertools import groupby

from app.domain.event import EVENT_VERSION, Event
from app.domain.event_json import event_json
from app.domain.meta.webhook_fields import LIST_FIELDS, VALUE_FIELDS
from app.web.examples import example_events

INTRODUCTION = f"""# Events

Generated from the code by `make docs`.

An event is one thing that happened: a message, a status, a call, a change of a template. A webhook from Meta can hold
a thousand of them. Each becomes its own event, is stored, pushed and pulled separately, and has the same id however
often and in whatever batch Meta sends it.

| field | meaning |
| --- | --- |
| `id` | `evt_` and 32 hex digits; the same on every attempt and for every repetition from Meta. |
| `version` | {EVENT_VERSION}. It is raised when a field is removed or changes its meaning; fields may be added. |
| `type` | Dotted, as below. A glob selects several: `message.*`, `*.status.*`. |
| `sequence` | The position among all stored events, increasing. |
| `occurredAt` | When it happened: the time in the item, else in its entry, else when the webhook came. |
| `receivedAt`, `receiptId` | The webhook that the event was split out of; no receipt (null) where none told it. |
| `wabaId`, `phoneNumberId` | The account and the business number; null if it is not known. |
| `foreign` | Whether the profile lacked its account or its number when it came. It is stored then, not pushed. |
| `contact` | The customer, as far as known: `userId` (stable), `parentUserId`, `waId`, `username`, `profileName`. |
| `data` | The content of the item. Our own names are camelCase; Meta's objects are copied whole with Meta's names. |
| `raw` | Meta's item exactly, except that a number outside of JSON's range (`1e999`) becomes a string. |

`data.tracker` is your own `biz_opaque_callback_data`. `data.payment` is what Meta says about a payment.
`data.removed` is true for a reaction that was taken back. A change of number or user id has `data.previous` and
`data.current`. A user id that Meta sends in the place of a phone number is in `contact.userId`.

An item that this version does not know, or cannot interpret, has the type `unknown.<field>` (`unknown.envelope` if it
has no field). It is still one event and still delivered, with an empty `data` and everything in `raw`. New types may
come at any time: let your handler ignore the types that it does not know.

A message that comes again under its id with other content is an edit: an event of its own with the same `data.id`.

An event is delivered at least once: remember the `id` of each event that you have handled.
"""
FAMILIES = {
    "message": "Messages from customers, and statuses of messages from the business (`message.status.*`).",
    "outbound": (
        "What the gateway does with a message to a customer, and how it ends, however that became known. They are\n"
        "made only where somebody asks: a destination whose `types` name them (`outbound.*`; `*` alone does not\n"
        "select them), or `sending.events` for readers that pull and ask by `types`. `data.messageId` is our id,\n"
        "`data.tracker` yours; `data.error` of a failed one has Meta's error with our `class` and `hint`. What Meta\n"
        "tells of a message itself comes as `message.status.*`. `raw` is null. A destination of the format `meta`\n"
        "gets none: Meta has no form for them."
    ),
    "operator": (
        "An alert of the gateway that begins or is over. They are made only where a destination has\n"
        "`operatorEvents: true`, and pushed to that one, whatever its `types` are; who pulls asks by `types`.\n"
        "`data` is the alert, as under `attention` in `/status`. `raw` is null."
    ),
    "error": "An error from Meta that belongs to no message.",
    "call": "Calls, and statuses of calls from the business (`call.status.*`).",
    "automatic": "Events that Meta detects by itself, such as an order in a conversation.",
    "tracking": "Clicks and similar actions.",
    "contact": "Changes of a customer.",
    "echo": "Messages that the business sent with the WhatsApp Business app.",
    "history": "Messages from before the number joined the platform, sent in chunks.",
    "app_state": "The address book of the WhatsApp Business app.",
    "conversation": "A conversation that is handed over to another application.",
    "group": "Groups.",
    "template": "Message templates.",
    "account": "The WhatsApp Business account.",
    "business": "The business that owns the account.",
    "phone_number": "A business phone number.",
    "flow": "Flows, by the event that Meta names.",
    "partner": "Solutions of partners.",
    "payment": (
        "Payments that a message asked for (`data.id`), by the word that Meta gives them: `payment.pending`,"
        " `payment.captured`,\n`payment.failed`, `payment.canceled`. Each transaction and each refund is an event of"
        " its own.\n`payment.configuration` is a change of the account."
    ),
    "unknown": "Items that this version does not know.",
}


def events_page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *_fields(), *_contents(), *_families()])


def _fields() -> Iterator[str]:
    yield "Webhook fields whose events have a type below: " + ", ".join(
        f"`{field}`" for field in sorted({**LIST_FIELDS, **VALUE_FIELDS})
    )
    yield ""


def _contents() -> Iterator[str]:
    yield "## Contents\n"
    for family, members in _examples():
        types = ", ".join(f"[{event.type}](#{event.type.replace('.', '')})" for event in members)
        yield f"- [{family}](#{family}): {types}"
    yield ""


def _examples() -> Iterator[tuple[str, list[Event]]]:
    events = sorted(example_events().values(), key=lambda event: list(FAMILIES).index(_family(event.type)))
    return ((family, list(members)) for family, members in groupby(events, key=lambda event: _family(event.type)))


def _families() -> Iterator[str]:
    for family, members in _examples():
        yield f"## {family}\n"
        yield FAMILIES[family] + "\n"
        for event in members:
            yield f"### {event.type}\n"
            yield f"```json\n{json.dumps(event_json(event), indent=2, ensure_ascii=False)}\n```\n"


def _family(type_: str) -> str:
    return type_.partition(".")[0]
