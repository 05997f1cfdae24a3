"""The kinds of alerts about sending; see `app.health.alert_kinds`."""

from app.health.alert_kind import AlertKind, Urgency

TOKEN_DEAD = AlertKind(
    "token_dead",
    Urgency.PAGE,
    "the variable that holds the token",
    "put a new token into {subject}, and restart every process",
    "Meta takes no call with the access token any more: it has expired, was revoked, or is of another app. Nothing"
    " is sent, and no file is fetched; webhooks still come. `flask wats doctor --live --yes-live` says more.",
    "Make a token that never expires: business.facebook.com, Settings, Users, System users, Generate token, with"
    " `whatsapp_business_messaging` and `whatsapp_business_management`. [Rotate secrets](rotate.md) has the"
    " steps. It is over a minute after the restart; messages that wait are sent then.",
)
TOKEN_EXPIRES = AlertKind(
    "token_expires",
    Urgency.TICKET,
    "the variable that holds the token",
    "put a system user's token into {subject}, which never expires, and restart every process",
    "The access token expires within 7 days. A worker asks Meta when it starts, and every six hours.",
    "As for `token_dead`. A token of App Dashboard, API Setup, lives for a day only.",
)
SENDING_PAUSED = AlertKind(
    "sending_paused",
    Urgency.PAGE,
    "the scope: `app`, `waba:ID`, `number:ID`, `template:ACCOUNT:NAME.LANGUAGE`, `flow:ACCOUNT:ID`,"
    " `initiated:ACCOUNT` or `replies:ACCOUNT`",
    "mend it, then run `flask wats sending resume {subject}`",
    "Meta has refused a message for a reason that holds for the whole scope: an expired token, a missing payment"
    " method, a locked account, a number that customers report, a template or a flow that Meta has paused. Messages"
    " of the scope wait.",
    "The cause has Meta's code and what to do about it. [When Meta refuses to take"
    " messages](operate.md#when-meta-refuses-to-take-messages) has the rest.",
)
META_NOT_REACHED = AlertKind(
    "meta_not_reached",
    Urgency.PAGE,
    "the phone number id",
    "see that this machine reaches `graph.baseUrl` (`flask wats doctor --live --yes-live`), and metastatus.com;"
    " retries go on by themselves",
    "Messages of this number do not reach Meta, or its answers are lost, five in a row. The others wait.",
    "See that this machine reaches `graph.baseUrl`, and Meta's status page (metastatus.com). It is over when Meta was"
    " reached for 5 minutes without a break: a connection that fails now and then is reported once.",
)
REACHED_AGAIN = "messages are sent again: this is over when Meta was reached for 5 minutes without a break"
MESSAGES_REFUSED = AlertKind(
    "messages_refused",
    Urgency.TICKET,
    "Meta's code; with a country (`130497:+91`, `130497:IN`), if it is about one",
    "see `flask wats messages list --status failed`",
    "Messages have failed within the last day for a reason that a human should know, although others go on: a country"
    " that the account must not message, terms that are not accepted, a feature that the number lacks.",
    "The cause has Meta's code and what to do about it. It is over a day after the last such message.",
)
NUMBER_QUALITY = AlertKind(
    "number_quality",
    Urgency.TICKET,
    "the phone number",
    "see why: WhatsApp Manager, Phone numbers, Insights; send less until Meta takes it back",
    "Meta has flagged the number for its quality, or has lowered its messaging limit: customers block or report it.",
    "Send less, and only to customers who expect it. It is over when Meta takes it back (`UNFLAGGED`, `UPGRADE`), or"
    " after a week.",
)
ACCOUNT_WARNED = AlertKind(
    "account_warned",
    Urgency.TICKET,
    "the account, perhaps with the type of Meta's alert",
    "see WhatsApp Manager, Account quality, and appeal there if you disagree",
    "Meta says by a webhook (`account_update`, `account_alerts`) that the account violates a policy, is restricted,"
    " or is about to be disabled. What stops sending is `sending_paused` besides.",
    "Appeal in WhatsApp Manager if you disagree. It is over when Meta reinstates the account, or after a week.",
)
GRAPH_VERSION_ENDS = AlertKind(
    "graph_version_ends",
    Urgency.TICKET,
    "the version",
    "raise `graph.apiVersion` and restart",
    "The version of the Graph API in `graph.apiVersion` has ended, or ends within 90 days. Meta then answers with"
    " another version, which may behave differently.",
    "Read Meta's changelog of the versions in between, raise `graph.apiVersion`, restart.",
)
NUMBER_NOT_LISTED = AlertKind(
    "number_not_listed",
    Urgency.TICKET,
    "the phone number id",
    "list it in `whatsapp.phoneNumberIds` again and restart, or cancel them: `flask wats messages list --status"
    " queued` has their ids, `flask wats messages cancel ID` cancels one",
    "Messages wait in the queue of a number that the config does not list any more: no worker serves it.",
    "List the number again and restart, or cancel them: `flask wats messages list --status queued`.",
)
SENT_TWICE = AlertKind(
    "sent_twice",
    Urgency.PAGE,
    "",
    "the customer may have got it twice, and nothing is sent again: please report it to the project, with the log"
    " lines of the message",
    "Meta has accepted a message twice, which must not happen.",
    "Please report it, with the log lines of the message. It is over when retention has deleted the message.",
)
UNKNOWN_MESSAGES = AlertKind(
    "unknown_messages",
    Urgency.TICKET,
    "",
    "decide about each in `flask wats messages list --status unknown`: `flask wats messages resolve ID --as failed`,"
    " or `--as resend`, which may send it twice",
    "Meta's answer to a message was lost, and no status has come for `sending.unknownAlertMinutes`. It may have been"
    " sent, and is not sent again by itself.",
    "Meta most likely never had it, but cannot be asked; only you can tell whether a double message would be worse"
    " than a missing one. `flask wats messages resolve ID --as failed` ends it, `--as resend` sends it again;"
    " `--all-unknown` in the place of the ID decides about many.",
)
