"""Every alert that there is: its code, how urgent it is, what it means and how it is cured.

`app.health.runbook` makes the runbooks of this table.
"""

from app.health.alert_kind import AlertKind, Urgency
from app.health.sending_alert_kinds import (
    ACCOUNT_WARNED,
    GRAPH_VERSION_ENDS,
    MESSAGES_REFUSED,
    META_NOT_REACHED,
    NUMBER_NOT_LISTED,
    NUMBER_QUALITY,
    SENDING_PAUSED,
    SENT_TWICE,
    TOKEN_DEAD,
    TOKEN_EXPIRES,
    UNKNOWN_MESSAGES,
)

NOT_READY = AlertKind(
    "not_ready",
    Urgency.PAGE,
    "the check: `database`, `schema`, `disk`, `draining`",
    "run `flask wats runbook not_ready`",
    "A check of `/readyz` fails: webhooks get 503, and Meta sends them again for up to 7 days.",
    "`database`: the log's `store.unavailable` has the cause, and what names the database. A"
    " locked SQLite file is held by another process, such as a backup or `sqlite3`: `fuser FILE` shows it; end it, or"
    " let it finish. `schema`: run"
    " `flask wats db upgrade`. `disk`: free some space; less than `storage.minFreeMegabytes` are left. No restart is"
    " needed. While the database does not answer, `/status` is 503 with this alert in `error.details`, and no other"
    " alert can be shown.",
)
NO_WORKER = AlertKind(
    "no_worker",
    Urgency.PAGE,
    "",
    "look for `supervisor.child_exited` in the log of `serve`; a worker that is a unit or container of its own, start"
    " again",
    "No worker has given a sign of life for 15 seconds: nothing is split, delivered or sent. Webhooks are stored.",
    "`serve` starts a worker again by itself: look at the log for `supervisor.child_exited` and for what the worker"
    " wrote last. Where the worker is a unit or container of its own, start it. Nothing is lost.",
)
RECEIPTS_WAIT = AlertKind(
    "receipts_wait",
    Urgency.PAGE,
    "",
    "look for `split.failed` in the log, and see with `flask wats status` that a worker is fresh and the number falls"
    "",
    "Receipts have waited for more than a minute to be split into events.",
    "After a worker was killed, splitting goes on when its lease has expired (`worker.leaseSeconds`). After an outage"
    " a long queue of receipts is normal: see that the number falls.",
)
UNREADABLE = AlertKind(
    "unreadable",
    Urgency.TICKET,
    "",
    "see why: `flask wats receipts list --state unreadable`, then `flask wats receipts show ID`",
    "Meta signed these webhooks, but no events could be made of them. Their bytes are kept.",
    "`flask wats receipts show ID` has the reason. After an upgrade that can read them, run"
    " `flask wats receipts reprocess --state unreadable`; what nobody needs, dismiss: `flask wats receipts dismiss`.",
)
WEBHOOKS_REFUSED = AlertKind(
    "webhooks_refused",
    Urgency.PAGE,
    "the code of the error, such as `signature_mismatch`",
    "run `flask wats runbook webhooks_refused`",
    "Requests to the webhook's path were refused. Meta repeats its webhooks for up to 7 days, and then gives them up;"
    " strangers that try the path are counted here too.",
    "`signature_mismatch`: set `webhook.appSecret` to the secret of the app that sends (App settings, Basic), or find"
    " the proxy that changes the body. `missing_signature`, `invalid_signature_format`: these are not Meta's, or a"
    " proxy drops the header. `verify_token_mismatch`, `invalid_handshake`: the token in Meta's dashboard is not"
    " `webhook.verifyToken`. `body_too_large`: raise `webhook.maxBodyBytes` (Meta sends up to 3 MB). `body_timeout`,"
    " `invalid_body`: the network or a proxy in front is slow, or cuts bodies short. It is over a minute after the"
    " last refusal, once a webhook was accepted; a handshake's, once one succeeds, or after an hour.",
)
DISABLED = AlertKind(
    "disabled",
    Urgency.PAGE,
    "the destination",
    "mend it and run `flask wats destinations resume {subject}`, or take it out of the config and restart",
    "The destination has answered 410: it wants no more events. They wait.",
    "If it is wanted again, mend it and resume it. If not, take it out of the config: pruning marks what waits for it"
    " as skipped.",
)
FAILING = AlertKind(
    "failing",
    Urgency.PAGE,
    "the destination",
    "look at the destination: `flask wats destinations test {subject}` shows what it answers; retries go on by"
    " themselves",
    "Five attempts in a row have failed: the destination is down, slow, or answers 5xx. One delivery at a time is"
    " tried as a probe; the others wait and use up no attempts.",
    "Look at the destination. `flask wats destinations test NAME` sends it a test event;"
    " `flask wats deliveries list --state waiting` shows what waits. When it works again, all goes on by itself;"
    " `flask wats destinations resume NAME` hurries it. It is over when the destination has not failed so for 5"
    " minutes: one that fails half the time raises one alert. A resume ends it at once, until it fails again.",
)
REFUSING = AlertKind(
    "refusing",
    Urgency.PAGE,
    "the destination",
    "`flask wats destinations test {subject}` shows its answer; correct `url` or `secret` of {subject} under"
    " `destinations` in the config, and restart",
    "The destination refuses different events one after the other with a 4xx, and accepts none: five with 401, 403,"
    " 404 or 405, twelve with another status. Its breaker is open, so that the events that wait use up no attempts.",
    "`flask wats destinations test NAME` shows the answer to a test event, and `flask wats deliveries list --state"
    " waiting --destination NAME` the deliveries. 401 and 403: its secret is not `secret` in the config. 404 and 405:"
    " the URL is wrong. Correct the config and restart; `flask wats destinations resume NAME` tries all at once."
    " It is over when `failing` would be.",
)
AFTER_TROUBLE = "it accepts deliveries again: this is over when it has not failed so for 5 minutes"
PAUSED = AlertKind(
    "paused",
    Urgency.TICKET,
    "the destination",
    "run `flask wats destinations resume {subject}`",
    "Somebody has paused the destination, and deliveries have waited for it for more than 15 minutes.",
    "Resume it. What waits is delivered, oldest first; it is kept for as long as the pause lasts.",
)
DEAD_LETTERS = AlertKind(
    "dead_letters",
    Urgency.TICKET,
    "",
    "see why: `flask wats deliveries list --state dead`; then replay them (`flask wats deliveries replay --state"
    " dead`) or discard them",
    "Deliveries were given up after about three days of attempts.",
    "`flask wats deliveries show ID` has the attempts and the beginning of the last answer. Replay them:"
    " `flask wats deliveries replay --state dead`. Those that nobody wants: `flask wats deliveries discard`.",
)
MEDIA_HELD_BACK = AlertKind(
    "media_held_back",
    Urgency.TICKET,
    "",
    "see that the worker reaches Meta (`flask wats doctor --live --yes-live`) and may write `media.directory`; then"
    " all go on by themselves",
    "Five attempts in a row to fetch received files have failed: Meta is not reached or refuses every call, or"
    " `media.directory` takes no file. One file at a time is tried as a probe; the others wait. Meta keeps a received"
    " file for 7 days.",
    "Make room on the disk, or let the worker's user own the folder; check the access token. `flask wats media list"
    " --state waiting` shows what waits. It is over when files were fetched for 5 minutes without such a break.",
)
FETCHED_AGAIN = "files are fetched again: this is over when that has gone well for 5 minutes"
MEDIA_GIVEN_UP = AlertKind(
    "media_given_up",
    Urgency.TICKET,
    "",
    "see why: `flask wats media list --state dead`; `flask wats media fetch ID` tries one again, while Meta has it",
    "Received files were given up: Meta does not know them, or could not be asked for 7 days.",
    "`flask wats media fetch ID` fetches one again, as long as Meta has it; `flask wats media delete ID` forgets it.",
)
MEDIA_FOLDER = AlertKind(
    "media_folder",
    Urgency.TICKET,
    "the machine",
    "mount the same `media.directory` on all machines, or run `flask wats runbook media_folder`",
    "The machine has a folder of media that is not the one of the other processes on this database, or that a copy of"
    " the database uses too, or that has none of the fetched files, or its disk reports an error. It writes no file"
    " there and deletes none, so that received files wait, and an erasure answers 503.",
    "Mount the same folder as `media.directory` on all machines. A copy of the database, such as one for tests, needs"
    " a `media.directory` of its own. A new folder with the files is taken by itself, 20 minutes after the former one"
    " was seen last. One with none of the fetched files may be a disk that is not mounted: mount it, or, if they are"
    " lost, make an empty file `.mark` in its subfolder `wats-…`, which the alert names. One whose other user is gone"
    " is taken after a day, or at once when you empty the file `.mark` in its subfolder.",
)
FOREIGN_EVENTS = AlertKind(
    "foreign_events",
    Urgency.TICKET,
    "the account and the number, as `WABA/NUMBER`",
    'add them to `whatsapp.wabaIds` and `whatsapp.phoneNumberIds` if they are yours, and restart; Meta\'s own "Test"'
    " button sends such ones too",
    "Webhooks came for an account or a number that the config does not list. Their events are stored, not pushed.",
    'Compare the ids with those of WhatsApp Manager: one may be mistyped. The "Test" button of Meta\'s dashboard'
    " sends the account 0 and the number 123456123: then all is well, and the alert goes away after an hour. After a"
    " correction and a restart, `flask wats deliveries replay` delivers the events that came before. It is over a day"
    " after the last.",
)
CONSUMER_AHEAD = AlertKind(
    "consumer_ahead",
    Urgency.TICKET,
    "the consumer",
    "until then it misses events: run `flask wats consumers ack {subject} --since TIME`, with the time from which it"
    " is to read, or `flask wats consumers delete {subject}`",
    "A consumer has acknowledged a cursor beyond the last event: probably a backup was restored.",
    "`flask wats consumers ack NAME --since TIME` moves it to a time, such as that of the backup;"
    " `flask wats consumers delete NAME` forgets it. [Pull](operate.md#pull-reading-events) has the rest.",
)
CLOCK_JUMPED = AlertKind(
    "clock_jumped",
    Urgency.TICKET,
    "",
    "check the time service of the machine (of the database's on PostgreSQL)",
    "The clock was set back or ahead within the last day.",
    "[A clock that jumps](operate.md#a-clock-that-jumps) says what follows from it.",
)

ALERT_KINDS = (
    NOT_READY,
    NO_WORKER,
    WEBHOOKS_REFUSED,
    RECEIPTS_WAIT,
    UNREADABLE,
    DISABLED,
    FAILING,
    REFUSING,
    PAUSED,
    DEAD_LETTERS,
    MEDIA_HELD_BACK,
    MEDIA_GIVEN_UP,
    MEDIA_FOLDER,
    FOREIGN_EVENTS,
    TOKEN_DEAD,
    SENDING_PAUSED,
    META_NOT_REACHED,
    MESSAGES_REFUSED,
    TOKEN_EXPIRES,
    NUMBER_QUALITY,
    ACCOUNT_WARNED,
    GRAPH_VERSION_ENDS,
    NUMBER_NOT_LISTED,
    SENT_TWICE,
    UNKNOWN_MESSAGES,
    CONSUMER_AHEAD,
    CLOCK_JUMPED,
)
"""The most urgent first; `/status` lists alerts in this order."""
