"""Reports the state of a business phone number: connected, its quality, throughput and messaging limit."""

from collections.abc import Iterator
from typing import Any

from app.cli.doctor.finding import Finding, error, fine, warning
from app.cli.doctor.health import health
from app.cli.doctor.meta import Reader, texts
from app.cli.doctor.subscription import override

FIELDS = (
    "id,display_phone_number,verified_name,status,name_status,code_verification_status,quality_rating,throughput,"
    "whatsapp_business_manager_messaging_limit,webhook_configuration,health_status"
)
MANAGER = "business.facebook.com > WhatsApp Manager > Account tools > Phone numbers"
FIRST = ("phone_number", "whatsapp_business_account")
"""The addresses in `webhook_configuration` that Meta uses before the app's."""


def number(number_id: str, reader: Reader, callback_url: str | None) -> Iterator[Finding]:
    """Look at one number."""
    answer = reader.get(number_id, fields=FIELDS)
    if answer.refusal:
        yield error("number", f"{number_id}: {answer.refusal}", answer.cure)
        return
    node = answer.content
    yield _connection(number_id, node)
    yield _quality(number_id, node)
    yield fine("limits", f"{number_id}: {_limits(node)}")
    yield from health(f"number {number_id}", node)
    addresses = node.get("webhook_configuration")
    first = texts(addresses, *FIRST) if isinstance(addresses, dict) else []
    yield from override(f"number {number_id}", first[0] if first else None, callback_url)


def _connection(number_id: str, node: dict[str, Any]) -> Finding:
    named = " ".join(texts(node, "display_phone_number", "verified_name"))
    status = node.get("status")
    if status not in (None, "CONNECTED"):
        cure = f"register it (POST /{number_id}/register with its PIN), or see {MANAGER}"
        return error("number", f"{number_id} {named} is {status}", cure)
    return fine("number", f"{number_id} {named} is connected")


def _quality(number_id: str, node: dict[str, Any]) -> Finding:
    rating = node.get("quality_rating", "UNKNOWN")
    if rating in ("RED", "YELLOW"):
        cure = f"customers block or report it: send less and better templates; see {MANAGER}"
        judge = error if rating == "RED" else warning
        return judge("quality", f"{number_id} has the quality {rating}", cure)
    return fine("quality", f"{number_id} has the quality {rating}")


def _limits(node: dict[str, Any]) -> str:
    throughput = node.get("throughput")
    level = throughput.get("level") if isinstance(throughput, dict) else None
    limit = node.get("whatsapp_business_manager_messaging_limit")
    return f"throughput {level or 'not known'}, messaging limit {limit or 'not known'}"
