"""The errors of `failed` statuses, in the shape that webhooks have."""

from typing import Any

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

FAILURES = {
    131000: ("Something went wrong", "Message failed to send because of an unknown error. Try again later."),
    131026: (
        "Message undeliverable",
        "Message undeliverable. The recipient may not be on WhatsApp, or may use a version that is too old.",
    ),
    131042: (
        "Business eligibility payment issue",
        "Message failed to send because there were one or more errors related to your payment method.",
    ),
    131047: (
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last wrote to this number.",
    ),
    131049: (
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: (
        "User stopped marketing messages",
        "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages from you.",
    ),
    131053: ("Media upload error", "Media could not be downloaded from the link, or its type is not supported."),
    132015: (
        "Template is paused",
        "Template is paused due to low quality, so it cannot be sent in a template message.",
    ),
}


def error_of(code: int) -> dict[str, Any]:
    """Return one of `errors[]`."""
    title, details = FAILURES.get(code, ("Unknown error", "The message failed for a reason that is not documented."))
    return {"code": code, "title": title, "message": title, "error_data": {"details": details}, "href": HREF}
