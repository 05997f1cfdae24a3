"""The meaning of each error of the Graph API for a message, and for what else is sent in the same scope.

Source: Meta, "Error codes" of the Cloud API, of groups, of marketing messages and of direct send. An error is looked
up by code and subcode, then by code, and only then judged by its HTTP status: Meta promises no status.
"""

from datetime import timedelta

from app.domain.meta.graph_errors import ErrorClass, ErrorRule, ErrorScope, GraphError

TEN_MINUTES = timedelta(minutes=10)
UNLISTED_TRIES = 5
UNKNOWN_TRIES = 10
"""The tries after an error that Meta calls unknown: about a quarter of an hour."""

TOO_MANY_REQUESTS = 429


def _stopped(scope: ErrorScope, hint: str) -> ErrorRule:
    return ErrorRule(ErrorClass.STOPPED, scope, hint=hint)


def _content(hint: str, *, scope: ErrorScope = ErrorScope.MESSAGE, alerts: bool = False) -> ErrorRule:
    return ErrorRule(ErrorClass.CONTENT, scope, alerts=alerts, hint=hint)


def _recipient(hint: str | None = None, *, alerts: bool = False, holds: bool = False) -> ErrorRule:
    return ErrorRule(ErrorClass.RECIPIENT, ErrorScope.CONTACT, alerts=alerts, hint=hint, holds=holds)


def _request(
    hint: str | None = None, *, scope: ErrorScope = ErrorScope.MESSAGE, alerts: bool = False, holds: bool = False
) -> ErrorRule:
    return ErrorRule(ErrorClass.REQUEST, scope, alerts=alerts, hint=hint, holds=holds)


def _parked(
    scope: ErrorScope, pause: timedelta, max_tries: int | None = None, hint: str | None = None, *, holds: bool = False
) -> ErrorRule:
    return ErrorRule(ErrorClass.PARKED, scope, max_tries, pause, hint=hint, holds=holds)


TOKEN_SETTING = "`auth.accessToken`"  # noqa: S105 - a setting
_CREDENTIALS = f"give {TOKEN_SETTING} a valid token, and restart: this one is expired, revoked or of another app"
_PERMISSION = "give the token's system user the permission whatsapp_business_messaging on this account"
_WRONG_ID = f"check the phone number id and {TOKEN_SETTING}: the token cannot use this number"
_USE_MESSAGES = "send it by /messages"
_TEMPLATE_STATE = "check the template's state in WhatsApp Manager"

_APP, _WABA, _NUMBER, _TEMPLATE = ErrorScope.APP, ErrorScope.WABA, ErrorScope.NUMBER, ErrorScope.TEMPLATE

_ACCOUNT: dict[int, ErrorRule] = {
    0: _stopped(_APP, _CREDENTIALS),
    3: _stopped(_APP, _PERMISSION),
    10: _stopped(_APP, _PERMISSION),
    33: _stopped(_NUMBER, "the phone number was deleted: check the phone number id"),
    104: _stopped(_APP, _CREDENTIALS),
    190: _stopped(_APP, _CREDENTIALS),
    **dict.fromkeys(range(200, 300), _stopped(_APP, _PERMISSION)),
    368: _stopped(_WABA, "the account is restricted for a policy violation: see WhatsApp Manager, Account quality"),
    803: _stopped(_NUMBER, _WRONG_ID),
    131005: _stopped(_WABA, _PERMISSION),
    131031: _stopped(_WABA, "the account is locked: see WhatsApp Manager, or contact Meta's support"),
    131037: _stopped(_NUMBER, "have the number's display name approved in WhatsApp Manager"),
    131042: _stopped(_WABA, "add a payment method to the account, or settle what is due, in WhatsApp Manager"),
    131045: _stopped(_NUMBER, "register the number again: POST /{phone number id}/register"),
    133010: _stopped(_NUMBER, "register the number: POST /{phone number id}/register"),
}

_THROTTLING: dict[int, ErrorRule] = {
    **dict.fromkeys((4, 17, 32, 613), ErrorRule(ErrorClass.THROTTLED, _APP)),
    **dict.fromkeys((80007, 80008), ErrorRule(ErrorClass.THROTTLED, _WABA)),
    **dict.fromkeys((130429, 131208), ErrorRule(ErrorClass.THROTTLED, _NUMBER)),
    131048: ErrorRule(ErrorClass.COOLED, _NUMBER, alerts=True, hint="customers report this number as spam"),
    131064: ErrorRule(ErrorClass.COOLED, _WABA, alerts=True, hint="templates were put into a wrong category"),
    131056: ErrorRule(ErrorClass.PAIR_THROTTLED, ErrorScope.PAIR),
    131049: _parked(
        ErrorScope.CONTACT, timedelta(hours=24), hint="Meta limits marketing to this customer", holds=True
    ),
    132069: _parked(ErrorScope.FLOW, timedelta(hours=1), hint="this flow may be sent ten times an hour", holds=True),
    133015: _parked(_NUMBER, timedelta(minutes=5), hint="the number is being deleted"),
    134101: _parked(_TEMPLATE, TEN_MINUTES, hint="the template is being synchronised with ads"),
    134102: _parked(_TEMPLATE, timedelta(minutes=5), 3, hint=_USE_MESSAGES),
}

_TRANSIENT: dict[int, ErrorRule] = {
    1: ErrorRule(ErrorClass.TRANSIENT, max_tries=3, hint="Meta says that the request itself may be wrong"),
    2: ErrorRule(ErrorClass.TRANSIENT, _APP),
    131000: ErrorRule(ErrorClass.TRANSIENT, max_tries=UNKNOWN_TRIES),
    131016: ErrorRule(ErrorClass.TRANSIENT, _WABA),
    131057: ErrorRule(ErrorClass.TRANSIENT, _WABA),
    133004: ErrorRule(ErrorClass.TRANSIENT),
    2494100: ErrorRule(ErrorClass.TRANSIENT, _NUMBER),
}

_CONTENT: dict[int, ErrorRule] = {
    131047: _content("more than 24 hours since the customer's last message: send a template"),
    131051: _content("this type of message is not supported"),
    131053: _content("upload the file and send its id; a voice message is OGG with OPUS"),
    131055: _content(_USE_MESSAGES),
    131062: _content("this message needs a phone number: ask for it with request_contact_info"),
    131063: _content(
        "send marketing templates by /marketing_messages, or allow them on Cloud API in WhatsApp Manager"
    ),
    134100: _content(_USE_MESSAGES),
    139200: _content("direct send is blocked for this account: send a template", scope=_WABA, alerts=True),
}

_RECIPIENT: dict[int, ErrorRule] = {
    131026: _recipient("the customer has no WhatsApp, an old version, or has not accepted its terms"),
    131050: _recipient("the customer has stopped marketing messages of this business", holds=True),
    130403: _recipient("this business has blocked the customer"),
    130472: _recipient("the customer is in an experiment of Meta's, and gets no marketing"),
    130497: _recipient("this account must not message customers of this country", alerts=True),
    131021: _recipient("sender and recipient are the same number"),
    131030: _recipient("a test number: add the recipient to the allowed numbers in the app's dashboard"),
    137000: _recipient("the customer's identity key has changed: acknowledge the new one"),
    1026: _recipient("the customer cannot receive this type of message"),
    2040: _recipient("the customer cannot receive this order"),
    131020: _recipient("the group has a single member"),
    131041: _recipient("the group does not exist, or this number is not in it"),
    131207: _recipient("the group is suspended for a policy violation", alerts=True),
}

_REQUEST: dict[int, ErrorRule] = {
    **dict.fromkeys((100, 131008, 131009, 132005, 132007, 132008, 132012, 135000, 2046, 2047), _request()),
    132000: _request("the number of parameters is not the template's: it may have been edited"),
    132001: _request("no approved template has this name in this language", scope=_TEMPLATE),
    132015: _request(f"the template is paused: {_TEMPLATE_STATE}", scope=_TEMPLATE, holds=True),
    132016: _request(f"the template is disabled for good: {_TEMPLATE_STATE}", scope=_TEMPLATE, holds=True),
    132018: _request("a template's parameters have no newlines, tabs or more than four blanks in a row"),
    132021: _request("a template has the same name: choose another one"),
    132068: _request("the flow is blocked", scope=ErrorScope.FLOW, holds=True),
    134011: _request("accept the terms of WhatsApp Payments in WhatsApp Manager", scope=_WABA, alerts=True),
    131215: _request("this number may not use groups", scope=_NUMBER, alerts=True),
}

_UNRELATED: dict[int, ErrorRule] = {
    **dict.fromkeys(
        (
            *range(133000, 133004),
            *range(133005, 133010),
            133016,
            *range(138000, 139000),
            *range(139000, 139200),
            *range(147000, 148000),
            *range(2388000, 2389000),
        ),
        ErrorRule(ErrorClass.UNRELATED),
    ),
    131044: ErrorRule(ErrorClass.UNRELATED, _NUMBER, alerts=True, hint="calls of this number cannot be paid for"),
}
"""Calls, blocking, user names, templates and registration: they never change how messages are sent."""

BY_CODE = {**_UNRELATED, **_ACCOUNT, **_THROTTLING, **_TRANSIENT, **_CONTENT, **_RECIPIENT, **_REQUEST}
BY_SUBCODE = {(100, 33): _stopped(_NUMBER, _WRONG_ID)}

_MARKETING: dict[int, ErrorRule] = {
    131009: _parked(_TEMPLATE, TEN_MINUTES, 2, "a value is wrong, or the template is not synchronised with ads yet"),
    100: _content(_USE_MESSAGES),
}
"""The meaning of some codes on `/marketing_messages`; of 100 only where it asks for a template."""

_HINTS = {
    (code, rule.error_class): rule.hint
    for code, rule in (
        *BY_CODE.items(),
        *_MARKETING.items(),
        *((code, rule) for (code, _), rule in BY_SUBCODE.items()),
    )
}
"""Hints by code and class: no code has two hints in one class."""


def rule_for(error: GraphError | None, http_status: int, *, is_marketing: bool = False) -> ErrorRule:
    """Return the rule for a refused POST. No error: a 429 of a limiter in front of the Graph API.

    `is_marketing`: it was sent to `/marketing_messages`.
    """
    if error is None:
        return BY_CODE[130429]
    return _listed(error, is_marketing) or _unlisted(error, http_status)


def hint_of(code: int, error_class: ErrorClass) -> str | None:
    """Return the hint for an error by its code and class; None if no table has one."""
    return _HINTS.get((code, error_class))


def rule_in_status(error: GraphError) -> ErrorRule:
    """Return the rule for an error in a status. Whatever its class, the message has failed."""
    return _listed(error, is_marketing=False) or ErrorRule(ErrorClass.OTHER)


def _listed(error: GraphError, is_marketing: bool) -> ErrorRule | None:
    if is_marketing and error.code in _MARKETING and _applies_to_marketing(error):
        return _MARKETING[error.code]
    return BY_SUBCODE.get((error.code, error.subcode or 0)) or BY_CODE.get(error.code)


def _applies_to_marketing(error: GraphError) -> bool:
    return error.code != 100 or "template message" in (error.details or error.message or "").lower()


def _unlisted(error: GraphError, http_status: int) -> ErrorRule:
    """Judge a code that no table lists by its HTTP status, and by Meta's word that it is transient."""
    if http_status == TOO_MANY_REQUESTS:
        return BY_CODE[130429]
    if error.is_transient or http_status >= 500:
        return ErrorRule(ErrorClass.TRANSIENT, max_tries=UNLISTED_TRIES)
    return ErrorRule(ErrorClass.OTHER)
