"""The refusals of Graph: status, code and text of each, and the body they make."""

from dataclasses import dataclass, replace
from typing import Any

from app.graph.fake.wire import Answer, json_answer


@dataclass(frozen=True)
class Refusal:
    """The answer to a refused call. `details` None: the body has no `error_data`."""

    status: int
    code: int
    message: str
    details: str | None = None
    subcode: int | None = None
    type: str = "OAuthException"
    is_transient: bool = False
    regain_minutes: int = 0
    retry_after: int | None = None


class Refused(Exception):
    """A call that is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


REFUSALS = {
    "expired_token": Refusal(
        401,
        190,
        "Error validating access token: Session has expired on Tuesday, 24-Nov-26 09:00:00 PST. "
        "The current time is Friday, 27-Nov-26 09:00:00 PST.",
        subcode=463,
    ),
    "needs_app_token": Refusal(400, 15, "(#15) This method must be called with an app access_token."),
    "invalid_token": Refusal(401, 190, "Invalid OAuth access token - Cannot parse access token"),
    "no_token": Refusal(
        401, 104, "(#104) This api call must be called with an access token or with an app secret proof"
    ),
    "not_eligible": Refusal(403, 10, "(#10) Application does not have permission for this action"),
    "permission": Refusal(403, 200, "(#200) You do not have the necessary permissions to send messages"),
    "unknown_object": Refusal(
        400,
        100,
        "Unsupported post request. Object with ID '{id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
        type="GraphMethodException",
    ),
    "unknown_path": Refusal(400, 2500, "Unknown path components: /{id}"),
    "invalid_parameter": Refusal(400, 100, "(#100) Invalid parameter", "Invalid parameter"),
    "missing": Refusal(400, 131008, "(#131008) Required parameter is missing", "Required parameter is missing"),
    "invalid_value": Refusal(400, 131009, "(#131009) Parameter value is not valid", "Parameter value is not valid"),
    "not_allowed": Refusal(
        400,
        131030,
        "(#131030) Recipient phone number not in allowed list",
        "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
    ),
    "user_id_recipient": Refusal(
        400,
        131062,
        "(#131062) Business-scoped User ID (BSUID) recipients are not supported for this message",
        "Business-scoped User ID (BSUID) recipients are not supported for this message.",
    ),
    "pair": Refusal(
        400,
        131056,
        "(#131056) (Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone "
        "number in a short period of time.",
    ),
    "throughput": Refusal(
        400,
        130429,
        "(#130429) Rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number in a short period "
        "of time",
        subcode=2494055,
    ),
    "spam": Refusal(
        400,
        131048,
        "(#131048) Spam rate limit hit",
        "Message failed to send because there are restrictions on how many messages can be sent from this phone "
        "number. This may be because too many previous messages were blocked or flagged as spam.",
    ),
    "account_calls": Refusal(
        429,
        80007,
        "(#80007) There have been too many calls to this WhatsApp Business account. Wait a bit and try again.",
        subcode=2446079,
        is_transient=True,
        regain_minutes=3,
    ),
    "unavailable": Refusal(500, 2, "Service temporarily unavailable", is_transient=True),
    "unknown": Refusal(
        500,
        131000,
        "(#131000) Something went wrong",
        "Message failed to send because of an unknown error with your request. Try again later.",
    ),
    "template": Refusal(
        404,
        132001,
        "(#132001) Template name does not exist in the translation",
        "template name ({template}) does not exist in {language}",
    ),
    "parameter_format": Refusal(
        400,
        132018,
        "(#132018) There is an issue with the parameters in your template",
        "The parameters are not valid.",
    ),
    "parameter_count": Refusal(
        400, 132000, "(#132000) Number of parameters does not match the expected number of params", "parameters"
    ),
    "paused_template": Refusal(400, 132015, "(#132015) Template is Paused", "Template is paused due to low quality."),
    "locked": Refusal(403, 131031, "(#131031) Business Account locked", "Your WhatsApp Business Account is locked."),
    "policy": Refusal(403, 368, "(#368) Temporarily blocked for policies violations"),
    "country": Refusal(
        403,
        130497,
        "(#130497) Business account is restricted from messaging users in this country.",
        "The WhatsApp Business account is restricted from messaging users in certain countries.",
    ),
    "handshake": Refusal(
        400, 2200, "(#2200) Callback verification failed with the following errors: HTTP Status Code = {id}"
    ),
}


def refuse(name: str, details: str | None = None, **facts: str) -> Refused:
    """Return the refusal of this name, with these details or its own, and with the `{…}` of its texts filled in."""
    found = filled(REFUSALS[name], **facts)
    return Refused(replace(found, details=details) if details else found)


def filled(refusal: Refusal, **facts: str) -> Refusal:
    """Return a refusal with the `{…}` of its texts filled in."""
    message, details = refusal.message, refusal.details
    for name, fact in facts.items():
        message = message.replace(f"{{{name}}}", fact)
        details = details and details.replace(f"{{{name}}}", fact)
    return replace(refusal, message=message, details=details)


def answer_to(refusal: Refusal, trace: str, *, is_send: bool) -> Answer:
    """Return the answer for a refusal: `error_data` is an object in sends and a plain string elsewhere."""
    error: dict[str, Any] = {"message": refusal.message, "type": refusal.type, "code": refusal.code}
    if refusal.subcode is not None:
        error["error_subcode"] = refusal.subcode
    if refusal.is_transient:
        error["is_transient"] = True
    if refusal.details is not None:
        error["error_data"] = (
            {"messaging_product": "whatsapp", "details": refusal.details} if is_send else refusal.details
        )
    answer = json_answer({"error": {**error, "fbtrace_id": trace}}, refusal.status)
    return replace(answer, headers={**answer.headers, **_headers_of(refusal)})


def _headers_of(refusal: Refusal) -> dict[str, str]:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if refusal.status < 500:
        headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_request" "{refusal.message}"'
    return headers
