"""How much of Meta's limits on calls is used up: two headers that any answer of the Graph API may have.

Source: Meta, "Rate Limits": `X-Business-Use-Case-Usage` and `X-App-Usage` hold JSON, with percentages.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.retry import retry_after_of

BUSINESS, APP = "X-Business-Use-Case-Usage", "X-App-Usage"
MAX_REGAIN_MINUTES = 24 * 60
_PERCENTAGES = ("call_count", "total_cputime", "total_time")


@dataclass(frozen=True)
class Usage:
    """`percent`: of the limit that is nearest. `regain_minutes`: until calls are answered again; 0 if they are."""

    percent: int = 0
    regain_minutes: int = 0


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Return the usage in the headers of an answer, of the app and all accounts together."""
    usages = [usage_of_app(headers), *usage_of_accounts(headers).values()]
    return Usage(max(each.percent for each in usages), max(each.regain_minutes for each in usages))


def usage_of_app(headers: Mapping[str, str]) -> Usage:
    """Return the usage of the app. A missing value, or one that is no number, counts as 0."""
    return _usage([_object(headers.get(APP))])


def usage_of_accounts(headers: Mapping[str, str]) -> dict[str, Usage]:
    """Return the usage of each account that the headers name: by the id of a WABA, or of a business."""
    business = _object(headers.get(BUSINESS))
    return {account: _usage([*_objects(entries)]) for account, entries in business.items()}


def _usage(limits: list[dict[str, Any]]) -> Usage:
    percents = (_number(limit.get(name)) for limit in limits for name in _PERCENTAGES)
    minutes = (_number(limit.get("estimated_time_to_regain_access")) for limit in limits)
    return Usage(max(percents, default=0), min(max(minutes, default=0), MAX_REGAIN_MINUTES))


def asked_delay(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return for how long Meta asks for no more calls; the names of headers are spelt as `Retry-After`."""
    asked = retry_after_of(headers.get("Retry-After"), now) or timedelta()
    return max(asked, timedelta(minutes=usage_of(headers).regain_minutes))


def _object(header: str | None) -> dict[str, Any]:
    try:
        value = json.loads(header or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _objects(entries: object) -> Iterator[dict[str, Any]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield entry


def _number(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
