"""Our refusals in the shape of Meta's errors."""

from app.domain.meta.own_refusal import meta_error


def test_a_wrong_field_is_refused_as_a_wrong_parameter() -> None:
    fields = [{"pointer": "/a", "message": "is wrong", "hint": "write b"}, {"pointer": "/c", "message": "too"}]

    status, body = meta_error("invalid_fields", "Some fields are wrong.", {"fields": fields}, "req")

    assert status == 400
    assert body["error"] == {
        "message": "(#100) Some fields are wrong.",
        "type": "OAuthException",
        "code": 100,
        "error_data": {"messaging_product": "whatsapp", "details": "/a is wrong write b; /c too"},
        "is_transient": False,
        "fbtrace_id": "req",
    }


def test_an_unknown_number_has_metas_subcode() -> None:
    assert meta_error("unknown_number", "No.", None, "req")[1]["error"]["error_subcode"] == 33


def test_what_may_be_repeated_is_transient() -> None:
    status, body = meta_error("busy", "Try again.", None, "req")

    assert (status, body["error"]["code"], body["error"]["is_transient"]) == (503, 2, True)
    assert body["error"]["error_data"]["details"] == "Try again."
