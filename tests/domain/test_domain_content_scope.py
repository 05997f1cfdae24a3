"""What a message is made of, and which scopes of Meta's it therefore belongs to."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.content_scope import MAX_NAME, PREFIXES, Content, Sent, content_of, marketing_scope, part, whole_of
from app.domain.meta.content_state import marketing_is_wanted, template_may_be_sent
from app.domain.meta.graph_errors import ErrorScope
from tests.support.events import new_event

SENT = Sent("1", "2", 3, "messages", Content("sale", "en"))


@pytest.mark.parametrize(
    ("body", "content"),
    [
        ({"text": {"body": "hi"}}, Content()),
        ({"template": {"name": "sale", "language": {"code": "en"}}}, Content("sale", "en")),
        ({"template": {"name": "sale", "language": 1}}, Content("sale")),
        ({"template": {"name": 1}}, Content()),
        ({"interactive": {"action": {"parameters": {"flow_id": "7"}}}}, Content(flow="7")),
        ({"interactive": {"action": {"parameters": {"flow_name": "sign"}}}}, Content(flow="sign")),
        ({"interactive": {"action": {"parameters": {"flow_id": 7}}}}, Content()),
        ({"interactive": {"action": []}}, Content()),
    ],
)
def test_the_content_of_a_body(body: Any, content: Content) -> None:
    assert content_of(json.dumps(body).encode()) == content


def test_a_message_belongs_to_the_scopes_of_its_content() -> None:
    assert SENT.every_name == {"template:1:sale.en", "marketing:2:3:sale"}
    assert replace(SENT, endpoint="marketing_messages").names(ErrorScope.CONTACT) == [
        "marketing:2:3",
        "marketing:2:3:sale",
    ]
    of_flow = replace(SENT, content=Content(flow="7"))
    assert (of_flow.names(ErrorScope.FLOW), of_flow.names(ErrorScope.TEMPLATE)) == (["flow:1:7"], [])
    assert SENT.names(ErrorScope.FLOW) == ["template:1:sale.en"]
    assert SENT.names(ErrorScope.APP) == []
    assert replace(SENT, content=Content()).every_name == set()


def test_a_name_that_does_not_fit_is_a_digest() -> None:
    assert part("flow:1", "sale-1.en_US") == "flow:1:sale-1.en_US"
    assert len(part("flow:1", "x" * 61)) == len(part("flow:1", "ü \ud800")) == len("flow:1:") + 32
    assert part("flow:1", "x" * 61) != part("flow:1", "x" * 62)


texts = st.text(max_size=600) | st.text("a", min_size=30, max_size=70)
ids = st.integers(1, 10**20 - 1).map(str)


@given(
    st.builds(
        Sent,
        account=ids,
        phone_number_id=ids,
        contact=st.integers(0, 2**63 - 1),
        endpoint=st.sampled_from(["messages", "marketing_messages"]),
        content=st.builds(Content, template=st.none() | texts, language=st.none() | texts, flow=st.none() | texts),
    )
)
@example(Sent("1" * 15, "1" * 15, 10**18, "messages", Content("a" * 60, "en")))
def test_every_name_fits_and_leads_to_its_whole(sent: Sent) -> None:
    for name in sent.every_name:
        assert len(name) <= MAX_NAME
        assert re.fullmatch(r"[!-~]+", name)
        assert name.startswith(PREFIXES)
        assert whole_of(name) in (name, marketing_scope(sent.phone_number_id, sent.contact))


@pytest.mark.parametrize(
    ("raw", "may"),
    [
        (
            {"event": "PAUSED", "message_template_name": "sale", "message_template_language": "en"},
            ("sale", "en", False),
        ),
        ({"event": "APPROVED", "message_template_name": "sale"}, ("sale", None, True)),
        ({"event": "FLAGGED", "message_template_name": "sale"}, None),
        ({"event": "PAUSED"}, None),
        ({"event": 1}, None),
        ([], None),
    ],
)
def test_a_webhook_tells_whether_a_template_may_be_sent(raw: Any, may: object) -> None:
    assert template_may_be_sent(new_event(kind="template.status", raw=raw)) == may
    assert template_may_be_sent(new_event(kind="template.quality", raw=raw)) is None


@pytest.mark.parametrize(("value", "wanted"), [("stop", False), ("resume", True), ("maybe", None), (1, None)])
def test_a_webhook_tells_whether_a_customer_wants_marketing(value: Any, wanted: bool | None) -> None:
    raw = {"category": "marketing_messages", "value": value}

    assert marketing_is_wanted(new_event(kind="contact.preference", raw=raw)) is wanted
    assert marketing_is_wanted(new_event(kind="contact.preference", raw={"value": value})) is None
