"""The page of the API's error codes, docs/errors.md. A code without an entry here stops the generation."""

from collections.abc import Iterator, Mapping

from app.web.errors import STATUS_OF

ENTRIES: Mapping[str, tuple[str, str]] = {
    "answer_lost": (
        "The call reached Meta, but its answer was lost, or is none that is passed on.",
        "Look whether it was done before you repeat it.",
    ),
    "bad_request": ("It is no well-formed HTTP.", "Look at the client or the proxy that sends it."),
    "body_timeout": (
        "The body did not arrive within 20 seconds, or while there was no room for others.",
        "Send it faster, or again; look at the network and at proxies.",
    ),
    "body_too_large": (
        "The body is larger than `webhook.maxBodyBytes`, 1 MiB for JSON, or Meta's limit for a file.",
        "Send less; for webhooks raise `webhook.maxBodyBytes`.",
    ),
    "busy": ("Too much is being received or fetched at once.", "Try again, as `Retry-After` says."),
    "erased": ("It belonged to a contact that was erased.", "Nothing: it is gone."),
    "expectation_failed": ("Of the expectations only `100-continue` is known.", "Do not send another `Expect`."),
    "forbidden": (
        "The token lacks the scope that is needed.",
        "Use a token with it: `service.tokens` in the config.",
    ),
    "headers_timeout": ("The headers did not arrive in time.", "Look at the network and at proxies."),
    "headers_too_large": ("The headers are too large.", "Send fewer or shorter ones: 16 KiB each, 64 KiB in all."),
    "idempotency_conflict": (
        "The `Idempotency-Key` was used for another request.",
        "Use a new key for a new message, and the same one only to repeat the same request.",
    ),
    "internal_error": ("A fault of the gateway.", "Please report it, with the trace in the log (`http.failed`)."),
    "invalid_body": ("The body is cut short or framed wrongly.", "Look at proxies; send it again."),
    "invalid_cursor": (
        "The cursor is not one of this list, or of another database.",
        "Begin without a cursor, and go on with `nextCursor`.",
    ),
    "invalid_fields": (
        "Fields of the body are missing or wrong; `details.fields` has a pointer and the reason for each.",
        "Correct them.",
    ),
    "invalid_handshake": (
        "It is no handshake of Meta's: `hub.mode` or `hub.challenge` is missing, or given twice.",
        "Nothing, unless Meta's dashboard shows an error.",
    ),
    "invalid_json": ("The body is no JSON, or has duplicate keys.", "Send valid JSON."),
    "invalid_limit": ("`limit` is no number from 1 to 100.", "Correct it."),
    "invalid_parameter": ("A parameter is wrong or unknown; the message says which.", "Correct it."),
    "invalid_signature_format": (
        "`X-Hub-Signature-256` is not `sha256=` and 64 lowercase hex digits.",
        "It is none of Meta's, or a proxy changes it.",
    ),
    "length_required": ("The length of a file must be known before it is uploaded.", "Send a `Content-Length`."),
    "media_refused": (
        "The file does not fit Meta's limits for its type.",
        "See docs/messages.md for types and sizes.",
    ),
    "message_pending": (
        "The message was accepted here, and Meta has not answered in time, or it ended without Meta.",
        "Ask for its status; do not send it again without an `Idempotency-Key`.",
    ),
    "meta_refused": (
        "Meta has refused the call; the message has its code.",
        "Look the code up in Meta's documentation; an invalid token is also told under `attention`.",
    ),
    "meta_unavailable": ("Meta did not answer.", "Try again."),
    "method_not_allowed": ("The path does not take this method.", "Use one of `Allow`."),
    "missing_signature": (
        "A request to the webhook's path has no `X-Hub-Signature-256`.",
        "It is none of Meta's, or a proxy drops the header.",
    ),
    "not_dead": ("The delivery is no dead letter.", "Only a dead letter can be discarded."),
    "not_fetching": ("Files are not fetched when they arrive.", "Set `media.fetchOnArrival`, and restart."),
    "not_found": (
        "There is nothing at this path, or nothing with this id; a path may be hidden without the right token.",
        "Check the path, the id and the token.",
    ),
    "not_inbound": ("The message is none of a customer's.", "Only those can be marked as read."),
    "not_passed_on": (
        "A call of the Graph API that wats does not pass on; the message says why.",
        "Use the API of wats for it, or call Meta yourself.",
    ),
    "not_queued": ("The message does not wait any more.", "It cannot be cancelled: look at its status."),
    "no_wamid": ("Meta has given the message no id.", "Meta cannot be asked about it; if it is unknown, resolve it."),
    "not_unknown": ("The message is not unknown.", "Nothing needs to be decided: look at its status."),
    "not_unreadable": ("The receipt is not unreadable.", "Only an unreadable one can be dismissed."),
    "signature_mismatch": (
        "No active app secret made this signature over these bytes.",
        "Set `webhook.appSecret` to the secret of the app that sends, or find the proxy that changes the body.",
    ),
    "too_many": ("There are too many of these already.", "Delete some; the message has the limit."),
    "too_young": (
        "A status of the unknown message may still come.",
        "Wait, or force it: then it may be sent twice.",
    ),
    "unauthorized": ("There is no valid bearer token.", "Send `Authorization: Bearer …` with one of the config's."),
    "unavailable": (
        "The database does not answer, or its disk is nearly full.",
        "Try again; the operator finds the cause under `attention` and in the log (`store.unavailable`).",
    ),
    "unknown_destination": ("The config has no such destination any more.", "List it again, or choose another one."),
    "unknown_number": (
        "The config lists no such phone number.",
        "Use one of `whatsapp.phoneNumberIds`, or list it.",
    ),
    "unsupported_coding": ("Of the transfer codings only `chunked` is known.", "Send none, or `chunked`."),
    "unsupported_media_type": (
        "The body's type is not the one that is expected.",
        "Send `application/json`; a file as `multipart/form-data`.",
    ),
    "uri_too_long": ("The request line is too long.", "Send a shorter path and query."),
    "verify_token_mismatch": (
        "The verify token is wrong.",
        "Enter `webhook.verifyToken` in Meta's dashboard.",
    ),
    "window_closed": (
        "More than 24 hours have passed since the customer's last message (`sending.windowPolicy: enforce`).",
        "Send a template.",
    ),
}
"""What a code means, and what to do about it."""


def errors_page() -> str:
    """Return the page. Raise `KeyError` for a code without an entry, and `ValueError` for an entry without a code."""
    if without := sorted(ENTRIES.keys() - STATUS_OF.keys()):
        raise ValueError(f"no such codes: {without}")
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Error codes of the API"
    yield ""
    yield 'Generated by `make docs`. Every error is `{"error": {"code", "message", "requestId", "details"?}}`; the'
    yield "log's line of the request has the same `requestId`, and the code as `error`."
    yield ""
    yield "| code | status | meaning | what to do |"
    yield "| --- | --- | --- | --- |"
    for code in sorted(STATUS_OF):
        meaning, cure = ENTRIES[code]
        yield f"| `{code}` | {STATUS_OF[code]} | {meaning} | {cure} |"
