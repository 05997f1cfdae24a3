"""The items of a batch. Each is checked by itself: a wrong one costs none of the others."""

import re
from collections.abc import Sequence
from dataclasses import replace

from app.domain.meta.payloads.check import first_problems
from app.domain.meta.payloads.findings import Advice
from app.domain.meta.payloads.structure import ANYTHING, Object
from app.domain.meta.payloads.values import Text
from app.domain.trace import TraceContext
from app.gateway import Gateway
from app.messages.accept import Refused, Result, Submission, accept, invalid_fields

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)
ITEM = Object(
    required={"message": ANYTHING},
    optional={"idempotencyKey": Text(1, 255, IDEMPOTENCY_KEY, "visible ASCII characters, no blanks")},
)


def accept_batch(gateway: Gateway, items: Sequence[object], trace: TraceContext) -> list[Result]:
    """Accept the valid ones of these items in one transaction. Return one result for each item.

    Each pointer of a result begins at the item: `/message/text/body`, `/idempotencyKey`.
    """
    advice = Advice()
    submissions = [_submission(item, trace, advice) for item in items]
    results = iter(accept(gateway, [one for one in submissions if isinstance(one, Submission)], advice))
    return [one if isinstance(one, Refused) else _of_item(next(results)) for one in submissions]


def _submission(item: object, trace: TraceContext, advice: Advice) -> Submission | Refused:
    problems = first_problems(ITEM.check(item), advice)
    if problems or not isinstance(item, dict):
        return invalid_fields(problems)
    return Submission(item["message"], item.get("idempotencyKey"), trace=trace)


def _of_item(result: Result) -> Result:
    """Return the result with the pointers of its message as pointers of its item."""
    if not isinstance(result, Refused) or "fields" not in (result.details or {}):
        return result
    fields = [{**field, "pointer": f"/message{field['pointer']}"} for field in (result.details or {})["fields"]]
    return replace(result, details={"fields": fields})
