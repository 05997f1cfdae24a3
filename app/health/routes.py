"""Probes for platforms, and what an operator with a token may read.

Each probe has a second path, because Cloud Run keeps paths that end in z for itself.
"""

from typing import Any

from flask import Response, current_app, request
from flask_smorest import Blueprint

from app.config import MODE_HEADER
from app.health.alerts import OK, alerts_of_checks
from app.health.diagnostics import diagnostics_of
from app.health.gauges import read_gauges
from app.health.readiness import Readiness
from app.health.runbook import runbooks_html
from app.health.schemas import AlertSchema, DiagnosticsSchema, LivenessSchema, ReadinessSchema, StatusSchema
from app.health.status import status_of
from app.store import StoreError
from app.web.current import gateway
from app.web.docs import html_page
from app.web.errors import unavailable_response
from app.web.guards import OPEN, guarded_by, hidden
from app.web.middleware import ERROR_CODE

bp = Blueprint("health", __name__, description="Probes, status and metrics.")

EXTENSION = "wats.readiness"
NOT_READY = {
    "ok": False,
    "service": "wats",
    "checks": {"database": "ok", "schema": "ok", "disk": "too little space is left on the disk", "draining": "no"},
}
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/healthz")
@bp.get("/health")
@guarded_by(OPEN)
@bp.response(200, LivenessSchema)
def show_liveness() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Report liveness: the process answers. No I/O."""
    return {"ok": True, "service": "wats"}, 200, {MODE_HEADER: gateway().settings.mode.value}


@bp.get("/readyz")
@bp.get("/ready")
@guarded_by(OPEN)
@bp.response(200, ReadinessSchema)
@bp.alt_response(503, schema=ReadinessSchema, description="Not ready; `checks` says why.", example=NOT_READY)
def show_readiness() -> tuple[dict[str, Any], int]:
    """Report readiness: the database is writable, the schema fits, the disk has room, the process is not draining."""
    checks = _readiness().checks()
    ok = all(result == OK for result in checks.values())
    if not ok:
        request.environ[ERROR_CODE] = "not_ready"
    return {"ok": ok, "service": "wats", "checks": checks}, 200 if ok else 503


@bp.get("/status")
@guarded_by(hidden("operate"))
@bp.response(200, StatusSchema)
def show_status() -> dict[str, Any] | Response:
    """Show what the store holds, what waits, which workers are alive, and what needs a human."""
    checks = _readiness().checks()
    try:
        return status_of(gateway(), checks, store_failed_recently=_readiness().store_failed_recently)
    except StoreError as error:
        alerts = alerts_of_checks(checks) or alerts_of_checks({"database": str(error)})
        return unavailable_response(error, {"attention": AlertSchema(many=True).dump(alerts)})


@bp.get("/runbooks")
@guarded_by(OPEN)
@bp.response(200, {"type": "string"}, content_type="text/html")
def show_runbooks() -> Response:
    """Show what each alert means and what to do, each at the anchor of its code; it shows nothing of this gateway."""
    return html_page("runbooks.html", runbooks=runbooks_html())


@bp.get("/metrics")
@guarded_by(hidden("operate"))
@bp.response(200, {"type": "string"}, content_type="text/plain")
def show_metrics() -> Response:
    """Show the metrics of all processes of this machine in Prometheus' text format."""
    gauges = read_gauges(gateway(), _readiness().checks(), store_failed_recently=_readiness().store_failed_recently)
    return Response(gateway().metrics.exposition(gauges), content_type=METRICS_TYPE)


@bp.get("/debug/diagnostics")
@guarded_by(hidden("operate"))
@bp.response(200, DiagnosticsSchema)
def show_diagnostics() -> dict[str, Any]:
    """Show the versions, memory, descriptors and settings of the process that answers."""
    return diagnostics_of(gateway())


def _readiness() -> Readiness:
    readiness: Readiness = current_app.extensions.setdefault(EXTENSION, Readiness(gateway().store))
    return readiness
