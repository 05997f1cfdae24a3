"""Messages as a client sends them, and what comes of checking them."""

import json
from typing import Any

from app.domain.meta.payloads.check import Payload, PayloadProblem, check_payload
from tests.support.payload_samples import DIRECT_SENDS, SAMPLES, TO


def text(*, to: Any = TO, body: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"to": to, "type": "text", "text": {"body": body}, **more}


def accepted(body: Any, **options: Any) -> Payload:
    payload = check_payload(body, **options)
    assert isinstance(payload, Payload), payload
    return payload


def problems_of(body: Any, **options: Any) -> tuple[PayloadProblem, ...]:
    problems = check_payload(body, **options)
    assert not isinstance(problems, Payload), problems
    return problems


def with_value(name: str, pointer: str, value: Any) -> dict[str, Any]:
    """Return a sample with another value at a place."""
    body = json.loads(json.dumps((SAMPLES | DIRECT_SENDS)[name]))
    *steps, last = [int(step) if step.isdigit() else step for step in pointer.split("/")[1:]]
    inner: Any = body
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return body


def pointers(body: Any, **options: Any) -> list[str]:
    return [problem.pointer for problem in problems_of(body, **options)]
