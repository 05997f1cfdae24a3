"""Checks `health_status`: Meta's own reasons why messages cannot be sent, such as a missing payment method."""

from collections.abc import Iterator
from typing import Any

from app.cli.doctor.finding import Finding, error, fine, warning
from app.domain.meta.scalars import text

AVAILABLE, LIMITED = "AVAILABLE", "LIMITED"
PAYMENT = 141006
PAYMENT_PLACE = "business.facebook.com > WhatsApp Manager > Account tools > Payment"
MANAGER = "business.facebook.com > WhatsApp Manager"


def health(whose: str, node: dict[str, Any]) -> Iterator[Finding]:
    """Judge the health status of a number or an account (`whose`), and each of its reasons."""
    status = node.get("health_status")
    if not isinstance(status, dict):
        return
    can_send = status.get("can_send_message")
    reasons = list(_reasons(status))
    if not any(finding.check == "payment" for finding in reasons):
        yield fine("payment", f"{whose}: Meta reports no missing payment method")
    yield from reasons
    if can_send == AVAILABLE:
        yield fine("health", f"{whose} can send")
    elif not reasons:
        judge = warning if can_send == LIMITED else error
        yield judge("health", f"{whose}: sending is {can_send}", f"see {MANAGER}")


def _reasons(status: dict[str, Any]) -> Iterator[Finding]:
    entities = status.get("entities")
    for entity in entities if isinstance(entities, list) else []:
        if not isinstance(entity, dict):
            continue
        whose = f"{str(entity.get('entity_type', 'entity')).lower()} {entity.get('id', '')}".strip()
        judge = warning if entity.get("can_send_message") in (AVAILABLE, LIMITED) else error
        failures = entity.get("errors")
        for failure in failures if isinstance(failures, list) else []:
            if isinstance(failure, dict):
                yield _reason(whose, failure, judge)


def _reason(whose: str, failure: dict[str, Any], judge: Any) -> Finding:
    code = failure.get("error_code")
    problem = f"{whose}: {code}: {text(failure.get('error_description')) or 'no description'}"
    cure = text(failure.get("possible_solution")) or f"see {MANAGER}"
    if code == PAYMENT:
        finding: Finding = judge("payment", problem, f"{cure} ({PAYMENT_PLACE})")
        return finding
    found: Finding = judge("health", problem, cure)
    return found
