"""Mutated webhooks against the verifier, a million of them in the long tier: it accepts none."""

import random
import string
from collections.abc import Callable

from app.domain.meta.signature import is_signature, signature_of, signed_with

SECRETS = ("the-current-app-secret", "the-previous-app-secret")
STRANGERS = ("the-current-app-secreT", "", "the-current-app-secret\0", "app-secret", "the-previous-app-secret ")
BODIES = [
    b"{}",
    b'{"object":"whatsapp_business_account","entry":[]}',
    bytes(range(256)),
    b"x" * 700,
    "\ud83d\ude00 grüß dich \0".encode("utf-8", "surrogatepass"),
]

EVERY_DAY, LONG_TIER = 200_000, 1_000_000

Webhook = tuple[bytes, str]
Mutation = Callable[[random.Random, bytes, str], Webhook]


def flip_a_bit_of_the_body(rng: random.Random, body: bytes, signature: str) -> Webhook:
    at = rng.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << rng.randrange(8)]) + body[at + 1 :], signature


def cut_the_body(rng: random.Random, body: bytes, signature: str) -> Webhook:
    return body[: rng.randrange(len(body))], signature


def add_to_the_body(rng: random.Random, body: bytes, signature: str) -> Webhook:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.randbytes(rng.randint(1, 9)) + body[at:], signature


def take_another_body(rng: random.Random, body: bytes, signature: str) -> Webhook:
    return rng.choice([each for each in BODIES if each != body]), signature


def change_a_digit(rng: random.Random, body: bytes, signature: str) -> Webhook:
    at = rng.randrange(7, len(signature))
    other = rng.choice([digit for digit in "0123456789abcdef" if digit != signature[at]])
    return body, signature[:at] + other + signature[at + 1 :]


def change_the_form(rng: random.Random, body: bytes, signature: str) -> Webhook:
    forms = (
        signature.upper(),
        signature[7:],
        signature[:-1],
        signature + "0",
        " " + signature,
        signature + "\n",
        f"{signature},{signature}",
        signature.replace("sha256", "sha1"),
        signature.replace("=", "=="),
        "".join(chr(ord(digit) + 0xFEE0) if digit in string.digits else digit for digit in signature),
        "",
    )
    return body, rng.choice(forms)


def sign_as_a_stranger(rng: random.Random, body: bytes, signature: str) -> Webhook:
    return body, signature_of(body, rng.choice(STRANGERS))


def make_one_up(rng: random.Random, body: bytes, signature: str) -> Webhook:
    return body, "sha256=" + rng.randbytes(32).hex()


MUTATIONS: tuple[Mutation, ...] = (
    flip_a_bit_of_the_body,
    cut_the_body,
    add_to_the_body,
    take_another_body,
    change_a_digit,
    change_the_form,
    sign_as_a_stranger,
    make_one_up,
)


def is_accepted(body: bytes, signature: str) -> bool:
    """What the door asks, in its order."""
    return is_signature(signature) and signed_with(body, signature, SECRETS) is not None


def test_no_mutated_webhook_is_accepted(long: bool) -> None:
    rng = random.Random()
    originals = [(body, signature_of(body, secret)) for body in BODIES for secret in SECRETS]
    assert all(is_accepted(*original) for original in originals)

    accepted = []
    for number in range(LONG_TIER if long else EVERY_DAY):
        body, signature = rng.choice(originals)
        mutated = MUTATIONS[number % len(MUTATIONS)](rng, body, signature)
        if mutated not in originals and is_accepted(*mutated):
            accepted.append(mutated)

    assert accepted == []
