"""Every key of a profile: its type, its default and its meaning. Reading and documentation derive from these tables.

Source of `graph`, `whatsapp`, `auth`, `webhook` and `service`: the published WATS config, which works unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.config.schema.databases import STORAGE_URL
from app.config.schema.headers import HEADERS
from app.config.schema.urls import BASE_URL, DESTINATION_URL, SERVICE_URL
from app.config.schema.value_types import (
    API_VERSION,
    FOLDER,
    HOST,
    NAME,
    NUMERIC_ID,
    ROUTE,
    SECRET,
    SWITCH,
    TYPE_GLOB,
    ValueType,
    choice,
    decimal,
    list_of,
    number,
    or_reference,
)
from app.config.settings import SCOPES
from app.config.start_options import DATA_DIR

REQUIRED: Any = object()


@dataclass(frozen=True)
class Setting:
    """One key: its type, its default (`REQUIRED` if it has none) and its meaning."""

    type: "ValueType | SectionList"
    default: Any
    meaning: str


Section = Mapping[str, Setting]


@dataclass(frozen=True)
class SectionList:
    """The type of a list whose items have keys of their own, a distinct `name` among them."""

    name: str
    section: Section


TOKEN: Section = {
    "name": Setting(NAME, REQUIRED, "Its name, for logs."),
    "token": Setting(SECRET, REQUIRED, "The token."),
    "scopes": Setting(list_of(choice(*SCOPES), min_items=1), REQUIRED, "What it may do."),
}

OPEN_OR_STRICT = choice("open", "strict")
DRY_RUN: Section = {
    "windows": Setting(
        OPEN_OR_STRICT, "open", "`strict`: a customer that has not written is outside the 24 h window."
    ),
    "templates": Setting(OPEN_OR_STRICT, "open", "`strict`: a template must have been created and approved."),
    "media": Setting(OPEN_OR_STRICT, "open", "`strict`: a file must have been uploaded."),
    "noPayment": Setting(SWITCH, default=False, meaning="The account has no payment method."),
    "hasHistory": Setting(SWITCH, default=True, meaning="Whether Meta answers with the history of a message."),
    "duplicates": Setting(number(0, 10), 0, "How often each webhook is posted again."),
    "batch": Setting(number(1, 1000), 1, "How many updates a webhook may have."),
    "batchSeconds": Setting(decimal(0.1, 60), 5.0, "How long updates wait for others, to come in one webhook."),
    "rebatch": Setting(SWITCH, default=False, meaning="Each update comes again, batched with others."),
    "shuffleSeconds": Setting(decimal(0, 60), 0.0, "Each webhook comes up to so much later, in any order."),
    "webhookDelaySeconds": Setting(decimal(0, 3600), 0.0, "Each webhook comes so much later."),
    "signed": Setting(choice("rightly", "by_previous", "wrongly", "not"), "rightly", "How webhooks are signed."),
    "pace": Setting(decimal(0, 100), 1.0, "Factor on the seconds between the statuses of a message."),
    "answerPace": Setting(decimal(0, 100), 1.0, "Factor on the seconds that a slow answer takes."),
    "answerSeconds": Setting(decimal(0, 60), 0.0, "What every answer to a send takes."),
    "numberRate": Setting(decimal(0.1, 1000), 80.0, "Messages a second that Meta takes for one number."),
    "numberBurst": Setting(number(1, 10_000), 80, "Messages that Meta takes for one number at once."),
    "pairLimit": Setting(SWITCH, default=True, meaning="Meta limits the messages to one customer."),
    "connection": Setting(
        choice("ok", "refuse", "reset_before_headers", "reset_after_headers"), "ok", "What becomes of calls to Meta."
    ),
    "answeredVersion": Setting(API_VERSION, None, "The version that Meta's answers name; by default the asked one."),
    "failedWithoutTracker": Setting(SWITCH, default=False, meaning="A `failed` status does not carry the tracker."),
    "failedWithoutContacts": Setting(SWITCH, default=False, meaning="A `failed` status comes without `contacts`."),
    "withoutContacts": Setting(SWITCH, default=False, meaning="No webhook has `contacts`."),
    "numbersAsStrings": Setting(SWITCH, default=False, meaning="Numbers in webhooks are strings."),
    "oldPricing": Setting(SWITCH, default=False, meaning="`pricing` has its form of before July 2025."),
    "unknownFields": Setting(SWITCH, default=False, meaning="Webhooks have fields that are not documented yet."),
}
"""How unfriendly the fake Meta of a dry-run is: the switches of `app/graph/fake/switches.py` that it heeds."""

SECTIONS: Mapping[str, Section] = {
    "graph": {
        "apiVersion": Setting(API_VERSION, "v25.0", "Version of Meta's Graph API."),
        "baseUrl": Setting(BASE_URL, "https://graph.facebook.com", "Where the Graph API is; http only to loopback."),
    },
    "whatsapp": {
        "wabaId": Setting(or_reference(NUMERIC_ID), REQUIRED, "WhatsApp Business Account id."),
        "wabaIds": Setting(list_of(or_reference(NUMERIC_ID)), (), "More accounts; events of others are not pushed."),
        "phoneNumberId": Setting(or_reference(NUMERIC_ID), None, "The number's id; this or `phoneNumberIds`."),
        "phoneNumberIds": Setting(list_of(or_reference(NUMERIC_ID), min_items=1), None, "Ids of several numbers."),
    },
    "auth": {
        "accessToken": Setting(SECRET, REQUIRED, "Meta's token, for Graph calls."),
    },
    "webhook": {
        "path": Setting(ROUTE, "/webhooks/whatsapp", "Where Meta posts."),
        "verifyToken": Setting(SECRET, REQUIRED, "The token of Meta's handshake."),
        "appSecret": Setting(SECRET, REQUIRED, "The key of Meta's webhook signatures."),
        "maxBodyBytes": Setting(
            number(1, 10_485_760), 4_194_304, "Larger webhooks are refused; Meta sends up to 3 MB."
        ),
    },
    "service": {
        "publicUrl": Setting(
            SERVICE_URL, None, "How others reach the gateway; media `url`s in `format: meta` pushes begin with it."
        ),
        "host": Setting(HOST, "127.0.0.1", "Address to listen on."),
        "port": Setting(number(1, 65535), 3000, "Port to listen on."),
        "apiPrefix": Setting(ROUTE, "/api", "The path of the API."),
        "bearerToken": Setting(SECRET, REQUIRED, "The API's token with every scope."),
        "tokens": Setting(SectionList("list of tokens", TOKEN), (), "More tokens, each with its scopes."),
    },
    "storage": {
        "url": Setting(STORAGE_URL, None, f"The database; by default `sqlite:///${DATA_DIR.variable}/wats.sqlite3`."),
        "minFreeMegabytes": Setting(number(0, 1_000_000), 256, "With less free disk, webhooks get 503 (SQLite)."),
    },
    "sending": {
        "messagesPerSecond": Setting(number(1, 1000), 80, "Pace of each number."),
        "pairBurst": Setting(number(1, 45), 45, "Messages to one customer at once."),
        "pairSeconds": Setting(number(1, 3600), 6, "Seconds between messages to one customer, after the burst."),
        "windowPolicy": Setting(choice("off", "warn", "enforce"), "warn", "What to do outside the 24 h window."),
        "messageLifetimeHours": Setting(number(1, 720), 24, "A message not sent by then has expired."),
        "idempotencyDays": Setting(
            number(1, 90), 7, "How long an `Idempotency-Key` is remembered; at most `retention.days`."
        ),
        "unknownAlertMinutes": Setting(number(1, 1440), 10, "An `unknown` message older than this is an alert."),
        "events": Setting(
            list_of(TYPE_GLOB), (), "Events `outbound.…` to keep for readers that pull; destinations ask by `types`."
        ),
    },
    "worker": {
        "threads": Setting(number(1, 64), 8, "Jobs at a time in one worker process."),
        "leaseSeconds": Setting(
            number(5, 3600), 30, "A job whose worker has not renewed its lease for this long is taken over."
        ),
    },
    "log": {
        "contacts": Setting(
            choice("hashed", "plain", "none"),
            "hashed",
            "How the log names a customer: by a keyed hash, by phone number or user id, or not at all.",
        ),
    },
    "retention": {
        "days": Setting(number(7, 3650), 30, "How long settled receipts, events and deliveries are kept."),
    },
    "dryRun": DRY_RUN,
    "media": {
        "fetchOnArrival": Setting(
            SWITCH, default=False, meaning="Fetch received media when they arrive, and keep them in `directory`."
        ),
        "directory": Setting(
            FOLDER, None, f"Where they are kept: one folder for all machines; by default `{DATA_DIR.variable}/media`."
        ),
    },
}

DESTINATION: Section = {
    "name": Setting(NAME, REQUIRED, "Its name, unique."),
    "url": Setting(DESTINATION_URL, REQUIRED, "Where events are posted."),
    "secret": Setting(SECRET, REQUIRED, "Signs what is pushed; `whsec_…` is base64, anything else its own bytes."),
    "format": Setting(
        choice("events", "meta"), "events", "Our event with Standard Webhooks headers, or Meta's envelope."
    ),
    "types": Setting(list_of(TYPE_GLOB, min_items=1), ("*",), "Which events: types or globs."),
    "phoneNumberIds": Setting(list_of(NUMERIC_ID), (), "Only events of these numbers; empty: of all."),
    "headers": Setting(HEADERS, (), "More headers, each a literal or `{ env: NAME }`."),
    "ordering": Setting(
        choice("none", "conversation"), "none", "`conversation`: one delivery per contact at a time."
    ),
    "timeoutSeconds": Setting(
        number(1, 120),
        None,
        "Time for one attempt; by default 15, and 45 in `format: meta`: a bot may send meanwhile.",
    ),
    "maxInFlight": Setting(
        number(1, 100),
        8,
        "Deliveries at a time, over all workers; more than `worker.threads` lets several share one destination.",
    ),
    "operatorEvents": Setting(SWITCH, default=False, meaning="Also push an event when an alert begins or is over."),
}
