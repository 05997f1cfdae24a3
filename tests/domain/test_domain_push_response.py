"""What is kept of the answer of a destination that refuses an event."""

import pytest

from app.domain.push_response import PushResponse, failed_answer


@pytest.mark.parametrize(
    ("status", "body", "kept"),
    [
        (200, b"ok", None),
        (500, b"", None),
        (500, b'{"error": "no\r\nsuch key"}', '{"error": "no\nsuch key"}'),
        (422, "für Ada\x00\x1b[31m".encode(), "für Ada??[31m"),
        (401, b"you sent Bearer s3cr3t-token", "you sent Bearer [secret]"),
        (500, b"cut in a \xc3", "cut in a \ufffd"),
    ],
)
def test_the_beginning_of_a_failed_answer_is_printable_and_without_secrets(
    status: int, body: bytes, kept: str | None
) -> None:
    assert failed_answer(PushResponse(status, None, None, 1, body), ["s3cr3t-token"]) == kept


def test_a_response_does_not_print_its_body() -> None:
    assert "private" not in repr(PushResponse(500, None, None, 1, b"private"))
