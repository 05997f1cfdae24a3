"""Scripts: what a test or a user says will happen at the next sends to a recipient, or to any (`*`)."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.graph.fake.behaviours import BEHAVIOURS, Behaviour, behaviour_of
from app.graph.fake.meta import Meta
from app.graph.fake.refusals import REFUSALS, Refusal

ANYBODY = "*"


def behaviour_from(step: Mapping[str, Any]) -> Behaviour:
    """Return the behaviour that a step describes; raise `ValueError` if it is none.

    A step has the fields of a `Behaviour`; `like` names a test number that it varies. `refusal` is the name of one or
    an object with the fields of a `Refusal`; `steps` is a list of pairs of a status and seconds.
    """
    facts = dict(step)
    like = facts.pop("like", "0000")
    if like not in BEHAVIOURS:
        raise ValueError(f"no such test number: {like}")
    unknown = sorted(set(facts) - {field.name for field in fields(Behaviour)})
    if unknown:
        raise ValueError(f"a step has no field {', '.join(unknown)}")
    if facts.get("refusal") is not None:
        facts["refusal"] = _refusal_from(facts["refusal"])
    if facts.get("steps") is not None:
        facts["steps"] = tuple((str(name), float(after)) for name, after in facts["steps"])
    base = BEHAVIOURS[like]
    return Behaviour(**{field.name: getattr(base, field.name) for field in fields(Behaviour)} | facts)


def _refusal_from(given: Any) -> Refusal:
    if isinstance(given, str):
        if given not in REFUSALS:
            raise ValueError(f"no such refusal: {given}; there are {', '.join(sorted(REFUSALS))}")
        return REFUSALS[given]
    try:
        return Refusal(**given)
    except TypeError as error:
        raise ValueError(f"a refusal has status, code, message and others: {error}") from error


def set_script(meta: Meta, recipient: str, steps: list[dict[str, Any]], *, is_repeated: bool = False) -> None:
    """Say what happens at the next sends, one step for each; then from the first on again, if it is repeated."""
    for step in steps:
        behaviour_from(step)
    meta.state.put("script", recipient.lstrip("+"), {"steps": steps, "repeat": is_repeated})


def next_behaviour(meta: Meta, key: str) -> Behaviour:
    """Return the behaviour of this send to a customer or group, and move its script on by one step."""
    for name in (key, ANYBODY):
        if meta.state.get("script", name):
            step = _next_step(meta, name)
            if step is not None:
                return behaviour_from(step)
    return behaviour_of(key)


def _next_step(meta: Meta, name: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = []

    def step(script: dict[str, Any] | None) -> dict[str, Any] | None:
        if not script or not script["steps"]:
            return script
        first, *others = script["steps"]
        found.append(first)
        return {**script, "steps": [*others, first] if script["repeat"] else others}

    meta.state.update("script", name, step)
    return found[0] if found else None
