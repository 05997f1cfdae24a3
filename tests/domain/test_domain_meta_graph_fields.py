"""Fields that no call may have, under every name by which a reader on Meta's side might know them."""

import pytest

from app.domain.meta.graph_fields import is_read_receipt, refused_call

RECEIPT = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}


@pytest.mark.parametrize(
    "query",
    [
        "access_token=x",
        "fields=id&access_token",
        "Access_Token=x",
        "access.token=x",
        "access%20token=x",
        "+access_token=x",
        "access_token%20=x",
        "access_token[]=x",
        "access_token%5B0%5D=x",
        "access_token%00=x",
        "%61ccess_token=x",
        "access[token=x",
        "access%5Btoken=x",
        "a=1;batch=[]",
        "fields=id,access_token",
        "fields=accounts%7Baccess_token.as(x)%7D",
        "fields[]=Access_Token",
        "method=delete",
        "METHOD=post",
        "batch=[]",
        "adbatch=[]",
        "callback=f",
    ],
)
def test_a_query_with_such_a_field_is_refused(query: str) -> None:
    assert refused_call(query, []) is not None


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
def test_a_header_that_names_another_method_is_refused(header: str) -> None:
    assert refused_call("", ["Accept", header]) is not None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "fields=analytics.start(1).end(2)",
        "input_token=x",
        "payment_method=x",
        "file_name=a&x",
        "%ff=1",
        "a[token=1;b",
        "fields=access_tokens",
    ],
)
def test_any_other_query_passes(query: str) -> None:
    assert refused_call(query, ["Accept", "File-Offset"]) is None


@pytest.mark.parametrize("more", [{}, {"typing_indicator": {"type": "text"}}])
def test_a_receipt_marks_as_read(more: object) -> None:
    assert isinstance(more, dict)
    assert is_read_receipt({**RECEIPT, **more})


@pytest.mark.parametrize(
    "body", [{**RECEIPT, "to": "+1"}, {**RECEIPT, "status": "sent"}, {"to": "+1"}, [], None, "read"]
)
def test_what_may_be_a_message_is_no_receipt(body: object) -> None:
    assert not is_read_receipt(body)
