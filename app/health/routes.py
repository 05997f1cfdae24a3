"""Probes for platforms, and what an operator with a token may see."""

from flask import Response, current_app
from flask_smorest import Blueprint

from app.gateway import gateway
from app.health.diagnostics import diagnostics_of
from app.health.gauges import ask_gauges
from app.health.readiness import OK, Readiness
from app.health.schemas import DiagnosticsSchema, LivenessSchema, ReadinessSchema, StatusSchema
from app.health.status import status_of
from app.web.guards import OPEN, guarded_by, hidden
from app.web.json import json_response

bp = Blueprint("health", __name__, description="How the gateway is.")

EXTENSION = "wats.readiness"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/healthz")
@guarded_by(OPEN)
@bp.response(200, LivenessSchema)
def show_liveness() -> Response:
    """Alive: the process answers. Touches nothing."""
    return json_response({"ok": True, "service": "wats"})


@bp.get("/readyz")
@guarded_by(OPEN)
@bp.response(200, ReadinessSchema)
@bp.alt_response(503, schema=ReadinessSchema, description="Not ready; `checks` says why.")
def show_readiness() -> Response:
    """Ready: the database is writable, the schema fits, the disk has room, and the process is staying."""
    checks = _readiness().checks()
    ok = all(answer == OK for answer in checks.values())
    return json_response({"ok": ok, "service": "wats", "checks": checks}, 200 if ok else 503)


@bp.get("/status")
@guarded_by(hidden("operate"))
@bp.response(200, StatusSchema)
def show_status() -> Response:
    """What stands in the store and who works on it."""
    return json_response(status_of(gateway()))


@bp.get("/metrics")
@guarded_by(hidden("operate"))
@bp.response(200, {"type": "string"}, content_type="text/plain")
def show_metrics() -> Response:
    """Prometheus' text format, over all processes of this machine."""
    return Response(gateway().metrics.exposition(ask_gauges(gateway())), content_type=METRICS_TYPE)


@bp.get("/debug/diagnostics")
@guarded_by(hidden("operate"))
@bp.response(200, DiagnosticsSchema)
def show_diagnostics() -> Response:
    """What this process is made of."""
    return json_response(diagnostics_of(gateway()))


def _readiness() -> Readiness:
    readiness: Readiness = current_app.extensions.setdefault(EXTENSION, Readiness(gateway().store))
    return readiness
