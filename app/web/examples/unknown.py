"""Changes that the gateway does not know, or cannot parse."""

from app.web.examples.changes import AT, PHONE, Changes, change

UNKNOWN: Changes = {
    "unknown.standby": change(
        "standby", messages=[{"id": "wamid.new", "from": PHONE, "timestamp": AT, "type": "text"}]
    ),
    "unknown.messages": change("messages", statuses=["not a status"]),
    "unknown.envelope": {"value": {"no": "field"}},
}
