"""Messages as a client sends them, and what comes of checking them."""

from typing import Any

from app.domain.meta.payloads.check import Payload, PayloadProblem, check_payload

TO = "+491701234567"


def text(*, to: Any = TO, body: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"to": to, "type": "text", "text": {"body": body}, **more}


def accepted(body: Any, **options: Any) -> Payload:
    payload = check_payload(body, **options)
    assert isinstance(payload, Payload), payload
    return payload


def problems_of(body: Any, **options: Any) -> tuple[PayloadProblem, ...]:
    problems = check_payload(body, **options)
    assert isinstance(problems, tuple), problems
    return problems
