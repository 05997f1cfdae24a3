"""The access log: of a path that matches no route only words of our own are printed."""

import json

import pytest

from app.server.access_log import fixed_segments, quoted_path

OWN = fixed_segments(["/webhooks/whatsapp", "/api/receipts", "/api/receipts/<receipt_id>/body"])


def logged(path: str) -> str:
    return str(json.loads("{" + quoted_path(path, OWN) + "}")["path"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/contacts/4917755566677", "/api/…/…"),
        ("/wats/webhooks/whatsapp", "/…/webhooks/whatsapp"),
        ("/api/receipts/", "/api/receipts/"),
        ("/s3cret", "/…"),
        ("/api/receipts/<receipt_id>", "/api/receipts/…"),
        ("", ""),
    ],
)
def test_only_segments_of_our_own_routes_are_printed(path: str, expected: str) -> None:
    assert logged(path) == expected


def test_a_long_path_is_cut() -> None:
    assert len(logged("/api" * 100)) <= 64
