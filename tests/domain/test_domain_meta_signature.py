"""Meta's webhook signature."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.meta.signature import is_signature, signature_of, signed_with

HEX = "0123456789abcdef" * 4
SECRETS = ("the current secret", "the previous secret")


def test_a_signature_is_recognised_by_its_form() -> None:
    assert is_signature(f"sha256={HEX}")


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        HEX,
        f"sha256 {HEX}",
        f"sha1={HEX[:40]}",
        f"SHA256={HEX}",
        f"sha256={HEX.upper()}",
        f"sha256={HEX[:-1]}",
        f"sha256={HEX}0",
        f"sha256={HEX}\n",
        f" sha256={HEX}",
        f"sha256={HEX} ",
        f"sha256={HEX},sha256={HEX}",
        f"sha256={HEX}, sha256={HEX}",
        f"sha256={HEX};v=1",
        f"sha256=0x{HEX[2:]}",
        f"sha256={'g' * 64}",
        f"sha256={'٣' * 64}",
        f"sha256=\x00{HEX[1:]}",
    ],
)
def test_any_other_form_is_refused(header: str) -> None:
    assert not is_signature(header)


def test_the_signature_of_the_rfc_4231_example_is_right() -> None:
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert signature_of(b"what do ya want for nothing?", "Jefe") == f"sha256={expected}"


def test_the_secret_that_signed_is_returned() -> None:
    body = b'{"entry":[]}'

    assert signed_with(body, signature_of(body, SECRETS[0]), SECRETS) == "current"
    assert signed_with(body, signature_of(body, SECRETS[1]), SECRETS) == "previous"
    assert signed_with(body, signature_of(body, "another"), SECRETS) is None


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_signature_matches_only_its_own_bytes(body: bytes, other: bytes) -> None:
    matches = signed_with(other, signature_of(body, SECRETS[0]), SECRETS) is not None

    assert matches == (body == other)


def test_a_flipped_bit_of_body_or_signature_is_refused() -> None:
    rng = random.Random(7)
    body = bytearray(rng.randbytes(200))
    digest = signature_of(bytes(body), SECRETS[0]).removeprefix("sha256=")

    for bit in range(len(body) * 8):
        body[bit // 8] ^= 1 << bit % 8
        assert signed_with(bytes(body), f"sha256={digest}", SECRETS) is None
        body[bit // 8] ^= 1 << bit % 8
    for bit in range(256):
        flipped = f"{int(digest, 16) ^ (1 << bit):064x}"
        assert signed_with(bytes(body), f"sha256={flipped}", SECRETS) is None
