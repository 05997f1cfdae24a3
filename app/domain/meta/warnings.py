"""Meta's warnings by webhook about numbers and accounts, before it refuses messages, and when it takes them back.

Source: Meta, webhooks `phone_number_quality_update`, `account_update` and `account_alerts`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.meta.scalars import word

QUALITY, ACCOUNT, ALERT = "phone_number.quality", "account.update", "account.alert"
WARNING_TYPES = (QUALITY, ACCOUNT, ALERT)
"""The types of the events that may warn."""

KEPT_FOR = timedelta(days=7)
"""Some warnings are never taken back."""

LOWERED = ("flagged", "downgrade")
VIOLATIONS = ("account_violation", "account_restriction", "account_deleted", "partner_removed")
SEVERE = ("critical", "warning")


@dataclass(frozen=True)
class MetaWarning:
    """Something that Meta has said about a number or an account (`subject`). `text` is None if all is well again."""

    type: str
    subject: str
    text: str | None
    at: datetime


def warning_of(type_: str, account: str | None, raw: Any, at: datetime) -> MetaWarning | None:
    """Return the warning in an event of these types; None if it holds none."""
    if not isinstance(raw, dict):
        return None
    if type_ == QUALITY:
        return _of_quality(raw, at)
    return _of_account(account or "", raw, at) if type_ == ACCOUNT else _of_alert(account or "", raw, at)


def _of_quality(raw: dict[str, Any], at: datetime) -> MetaWarning | None:
    event, number, limit = word(raw.get("event")), raw.get("display_phone_number"), raw.get("current_limit")
    if event is None:
        return None
    text = f"Meta has {_said(event)} the number {number}" + (f", its limit is {limit}" if limit else "")
    return MetaWarning(QUALITY, str(number), text if event in LOWERED else None, at)


def _said(event: str) -> str:
    return "flagged" if event == "flagged" else "lowered the limit of"


def _of_account(account: str, raw: dict[str, Any], at: datetime) -> MetaWarning | None:
    event, ban = word(raw.get("event")), _state_of_ban(raw)
    if event == "disabled_update":
        text = None if ban == "reinstate" else f"Meta has announced a ban of the account {account} ({ban})"
        return MetaWarning(ACCOUNT, account, text, at)
    if event in VIOLATIONS:
        return MetaWarning(ACCOUNT, account, f"Meta says of the account {account}: {event}{_details(raw)}", at)
    return None


def _state_of_ban(raw: dict[str, Any]) -> str | None:
    ban = raw.get("ban_info")
    return word(ban.get("waba_ban_state")) if isinstance(ban, dict) else None


def _details(raw: dict[str, Any]) -> str:
    violation, restrictions = raw.get("violation_info"), raw.get("restriction_info")
    kinds = [violation.get("violation_type")] if isinstance(violation, dict) else []
    kinds += [one.get("restriction_type") for one in _objects(restrictions)]
    known = [str(kind) for kind in kinds if kind]
    return f" ({', '.join(known)})" if known else ""


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _of_alert(account: str, raw: dict[str, Any], at: datetime) -> MetaWarning | None:
    info = raw["alert_info"] if isinstance(raw.get("alert_info"), dict) else {}
    alert = {**raw, **info}
    severity, kind = word(alert.get("alert_severity")), word(alert.get("alert_type"))
    if severity is None:
        return None
    is_over = severity not in SEVERE or word(alert.get("alert_status")) in ("none", "resolved")
    text = f"Meta alerts about the account {account}: {kind or severity}"
    return MetaWarning(ALERT, f"{account} {kind or ''}".strip(), None if is_over else text, at)
