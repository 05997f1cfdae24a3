"""Rules for problems that only Prometheus can notice, with their runbooks. Each alert has one too."""

from dataclasses import dataclass

from app.health.alert_kind import Urgency

WEBHOOKS = 'wats_http_request_seconds_bucket{route="webhook"}'
P99_OF_WEBHOOKS = f"histogram_quantile(0.99, sum by (instance, le) (rate({WEBHOOKS}[10m])))"


@dataclass(frozen=True)
class Rule:
    """An alert that only Prometheus can raise, such as one about a gateway that does not answer."""

    name: str
    expression: str
    minutes: int
    urgency: Urgency
    summary: str
    steps: str


RULES = (
    Rule(
        "WatsDown",
        'up{job="wats"} == 0',
        1,
        Urgency.PAGE,
        "The gateway does not answer Prometheus.",
        "Look at the process and its log; `curl` its `/healthz`. A 404 for `/metrics` means that the token is wrong,"
        " or lacks the scope `operate`. Meta sends refused webhooks again for up to 7 days.",
    ),
    Rule(
        "WatsStoreDown",
        "wats_store_up == 0",
        1,
        Urgency.PAGE,
        "The database does not answer: webhooks get 503.",
        "See [not_ready](#not_ready). Nothing is lost: Meta sends them again for up to 7 days.",
    ),
    Rule(
        "WatsWebhooksSlow",
        f"{P99_OF_WEBHOOKS} > 1",
        10,
        Urgency.TICKET,
        "One webhook in a hundred is answered later than a second; Meta asks for less.",
        "Is the disk slow (each answer waits for it), the processor busy, or PostgreSQL far away?",
    ),
    Rule(
        "WatsDiskFull",
        "wats_disk_free_bytes < 1e9 or predict_linear(wats_disk_free_bytes[6h], 86400) < 0",
        15,
        Urgency.TICKET,
        "The disk of the database has less than 1 GB free, or will be full within a day.",
        "Free some space, or keep less: `retention.days`, `flask wats db rewrite`. On a full disk webhooks get 503.",
    ),
    Rule(
        "WatsMediaDiskFull",
        "wats_media_disk_free_bytes < 1e9 or predict_linear(wats_media_disk_free_bytes[6h], 86400) < 0",
        15,
        Urgency.TICKET,
        "The disk of received media has less than 1 GB free, or will be full within a day.",
        "Free some space, or keep less: `retention.days`. On a full disk received files wait"
        " ([media_held_back](#media_held_back)); Meta keeps each for 7 days. Webhooks only need room on the disk of"
        " the database.",
    ),
    Rule(
        "WatsUndelivered",
        "wats_oldest_undelivered_seconds > 3600",
        5,
        Urgency.TICKET,
        "A destination has not accepted an event for an hour.",
        "`flask wats deliveries list --state waiting --destination NAME` shows why; see also the alerts of the"
        " destination.",
    ),
    Rule(
        "WatsConsumerBehind",
        "wats_consumer_oldest_unread_seconds > 86400",
        15,
        Urgency.TICKET,
        "A consumer has an unread event that is older than a day.",
        "Is the reader alive? An event is deleted after `retention.days`, read or not. Delete a consumer that nobody"
        " uses: `flask wats consumers delete NAME`.",
    ),
    Rule(
        "WatsLogLost",
        "increase(wats_log_lines_lost_total[15m]) > 0",
        0,
        Urgency.TICKET,
        "Log lines were given up: the log's reader has stalled or gone, or its disk is full.",
        "Look at what reads the standard error of the gateway, and at its disk.",
    ),
)
