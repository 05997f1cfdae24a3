"""Flows in interactive messages. Source: Meta, "Sending flows"."""

from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings
from app.domain.meta.payloads.rules import Condition, ExactlyOne
from app.domain.meta.payloads.structure import ANYTHING, Either, Object, OwnLimit
from app.domain.meta.payloads.values import Choice, MetaId, Text


def _screen_for_navigate(parameters: dict[str, Any]) -> Findings:
    payload = parameters.get("flow_action_payload")
    if not isinstance(payload, dict):
        return
    has_screen = payload.get("screen") is not None
    if parameters.get("flow_action") == "data_exchange":
        if has_screen:
            hint = "the endpoint of the flow names the first screen"
            yield Finding("must not be used with `data_exchange`", hint, path=("flow_action_payload", "screen"))
    elif not has_screen:
        yield Finding("is required with `navigate`", path=("flow_action_payload", "screen"))


def _data_is_not_empty(payload: dict[str, Any]) -> Findings:
    if payload.get("data") == {}:
        yield Finding("must not be empty", "leave `data` out", path=("data",))


FLOW_PARAMETERS = Object(
    required={
        "flow_message_version": Choice("3", hint='write it in quotes: "3"'),
        "flow_cta": Text(1, 30, warn_above=20),
    },
    optional={
        "flow_id": OwnLimit(MetaId()),
        "flow_name": OwnLimit(Text(1, 200)),
        "flow_token": OwnLimit(Text(1, 200)),
        "mode": Choice("draft", "published"),
        "flow_action": Choice("navigate", "data_exchange"),
        "flow_action_payload": Object(
            optional={
                "screen": OwnLimit(Text(1, 256)),
                "data": OwnLimit(Either(Object(others=ANYTHING), Text(1, 65536))),
            },
            rules=(Condition("`data` is not empty", _data_is_not_empty),),
        ),
    },
    rules=(
        ExactlyOne("flow_id", "flow_name"),
        Condition("`screen` is given with a `flow_action` of `navigate`, and only with it", _screen_for_navigate),
    ),
)

FLOW_ACTION = Object(
    required={"name": Choice("flow"), "parameters": FLOW_PARAMETERS},
)
