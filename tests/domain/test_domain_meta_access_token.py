"""What Meta says of an access token, and when a human must look at it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.meta.access_token import NOTICE, TokenLife, token_life

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
IN_A_DAY = int((NOON + timedelta(days=1)).timestamp())
IN_A_MONTH = int((NOON + timedelta(days=30)).timestamp())
VALID = {"is_valid": True, "expires_at": 0, "data_access_expires_at": 0}


@pytest.mark.parametrize(
    ("document", "life"),
    [
        ({"data": VALID}, TokenLife(NOON, True)),
        ({"data": {"is_valid": True}}, TokenLife(NOON, True)),
        ({"data": {**VALID, "expires_at": IN_A_DAY}}, TokenLife(NOON, True, NOON + timedelta(days=1))),
        (
            {"data": {**VALID, "expires_at": IN_A_MONTH, "data_access_expires_at": IN_A_DAY}},
            TokenLife(NOON, True, NOON + timedelta(days=1)),
        ),
        ({"data": {"is_valid": False}}, TokenLife(NOON, False, reason="it is not valid")),
        (
            {"data": {"is_valid": False, "error": {"code": 190, "message": "Session has expired"}}},
            TokenLife(NOON, False, reason="Session has expired"),
        ),
        ({"data": {"is_valid": "yes", "error": "odd"}}, TokenLife(NOON, False, reason="it is not valid")),
        (
            {"error": {"code": 190, "error_subcode": 463, "message": "expired"}},
            TokenLife(NOON, False, reason="190/463: expired"),
        ),
        ({"error": {"code": 4, "message": "too many calls"}}, None),
        ({"error": {"code": 2, "message": "try again"}}, None),
        ({"error": {"code": 131031, "message": "locked"}}, None),
        ({"data": []}, None),
        ({"data": {}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_an_answer_says_how_long_a_token_lives_or_nothing_of_it(
    document: dict[str, Any] | None, life: TokenLife | None
) -> None:
    assert token_life(document, 400, NOON) == life


@pytest.mark.parametrize(
    ("life", "is_dead", "ends_soon"),
    [
        (TokenLife(NOON, True), False, False),
        (TokenLife(NOON, True, NOON + NOTICE), False, False),
        (TokenLife(NOON, True, NOON + NOTICE - SECOND), False, True),
        (TokenLife(NOON, True, NOON + SECOND), False, True),
        (TokenLife(NOON, True, NOON), True, False),
        (TokenLife(NOON, False), True, False),
    ],
)
def test_a_token_that_ends_within_a_week_needs_a_look(life: TokenLife, is_dead: bool, ends_soon: bool) -> None:
    assert (life.is_dead(NOON), life.ends_soon(NOON)) == (is_dead, ends_soon)


@pytest.mark.parametrize(
    ("life", "minutes", "is_old"),
    [
        (TokenLife(NOON, True), 359, False),
        (TokenLife(NOON, True), 360, True),
        (TokenLife(NOON, True), -360, True),
        (TokenLife(NOON, False), 14, False),
        (TokenLife(NOON, False), 15, True),
        (TokenLife(NOON, True, NOON + timedelta(days=1)), 15, True),
    ],
)
def test_meta_is_asked_again_sooner_about_a_token_that_needs_a_look(
    life: TokenLife, minutes: int, is_old: bool
) -> None:
    assert life.is_old(NOON + timedelta(minutes=minutes)) is is_old
