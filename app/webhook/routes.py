"""Meta's two requests: the handshake and the webhook itself.

Do not reorder the checks: which error a bad request gets is part of the API.
"""

from flask import Blueprint, Response, current_app, g, request

from app.domain.constant_time import constant_time_index
from app.domain.meta.signature import SIGNATURE_HEADER, is_signature, signed_with
from app.domain.receipt import Stored
from app.web.body import read_body, refuse_declared_over
from app.web.body_budget import EXTENSION, BodyBudget
from app.web.current import gateway
from app.web.errors import ApiError, error_response
from app.web.guards import Guard, guarded_by
from app.web.middleware import TRACE, Environ
from app.web.query_parameters import accepts_any_query
from app.webhook.receive import receive
from app.webhook.refusals import EXTENSION as REFUSALS
from app.webhook.refusals import Refusals

bp = Blueprint("webhook", __name__)

RESPONSES = {
    stored: Response(b'{"status":"%s"}' % stored.value.encode(), content_type="application/json") for stored in Stored
}
"""Built once, because building a response costs time. The headers of each request are added outside of Flask."""
SIGNATURE_VARIABLE = "HTTP_" + SIGNATURE_HEADER.upper().replace("-", "_")


def check_verify_token() -> None:
    """Check that the handshake has exactly one verify token, and that it is an active one."""
    presented = _single("hub.verify_token", missing_code="verify_token_mismatch").encode()
    active = gateway().settings.webhook.verify_token.active
    if constant_time_index(presented, (token.encode() for token in active)) is None:
        raise ApiError("verify_token_mismatch", "The verify token is wrong.")


def check_signature() -> None:
    """Check Meta's signature over the exact bytes that arrived; store bytes and signer in `g.signed` for the view."""
    environ, webhook = request.environ, gateway().settings.webhook
    refuse_declared_over(environ, webhook.max_body_bytes)
    signature = _signature(environ)
    budget: BodyBudget = current_app.extensions[EXTENSION]
    body = read_body(environ, budget, limit=webhook.max_body_bytes)
    signer = signed_with(body, signature, webhook.app_secret.active)
    if signer is None:
        raise ApiError("signature_mismatch", "The signature does not match the body.")
    g.signed = (body, signer)


VERIFY_TOKEN = Guard("verify-token", check_verify_token)
META_SIGNATURE = Guard("meta-signature", check_signature)


@bp.get("")
@guarded_by(VERIFY_TOKEN)
@accepts_any_query
def answer_handshake() -> Response:
    """Return Meta's challenge, so that Meta accepts this URL."""
    if _single("hub.mode") != "subscribe":
        raise ApiError("invalid_handshake", "hub.mode is not 'subscribe'.")
    challenge = _single("hub.challenge")
    _refusals().accept_handshake()
    return Response(challenge, mimetype="text/plain")


@bp.post("")
@guarded_by(META_SIGNATURE)
@accepts_any_query
def receive_webhook() -> Response:
    """Store a webhook durably, and answer before any other work on it."""
    body, signer = g.signed
    return RESPONSES[receive(body, signer, gateway(), request.environ[TRACE])]


@bp.errorhandler(ApiError)
def refuse(error: ApiError) -> Response:
    """Answer a refused request, and count it: `/status` and an alert tell the operator."""
    _refusals().refuse(error.code)
    return error_response(error)


def _refusals() -> Refusals:
    refusals: Refusals = current_app.extensions[REFUSALS]
    return refusals


def _single(parameter: str, missing_code: str = "invalid_handshake") -> str:
    """Return a query parameter that must be given exactly once. `missing_code`: the error code if it is missing."""
    values = request.args.getlist(parameter)
    if len(values) > 1:
        raise ApiError("invalid_handshake", f"{parameter} is given more than once.")
    if not values or not values[0]:
        raise ApiError(missing_code, f"{parameter} is missing.")
    return values[0]


def _signature(environ: Environ) -> str:
    signature: str | None = environ.get(SIGNATURE_VARIABLE)
    if signature is None:
        raise ApiError("missing_signature", f"{SIGNATURE_HEADER} is missing.")
    if not is_signature(signature):
        raise ApiError(
            "invalid_signature_format", f"{SIGNATURE_HEADER} must be 'sha256=' and 64 lowercase hex digits."
        )
    return signature
