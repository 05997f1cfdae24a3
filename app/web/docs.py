"""The OpenAPI document, a page to browse it, and the page at `/`, with local assets only: no inline script."""

import json
from functools import cache
from pathlib import Path

import flask_swagger_ui
from flask import Response, current_app, jsonify, request, send_from_directory
from flask_smorest import Blueprint

from app.web.current import gateway
from app.web.errors import not_found
from app.web.guards import OPEN, guarded_by
from app.web.openapi import openapi_document
from app.web.schemas import HomeSchema

bp = Blueprint("docs", __name__, description="Where to go from here, and this document.")

PAGE_FOLDER = Path(__file__).parent / "docs_page"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
ASSETS = {
    "docs.js": PAGE_FOLDER,
    "home.css": PAGE_FOLDER,
    "swagger-ui.css": SWAGGER_UI,
    "swagger-ui-bundle.js": SWAGGER_UI,
    "favicon-32x32.png": SWAGGER_UI,
}
LINKS = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "health": "/healthz",
    "readiness": "/readyz",
    "status": "/status",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@bp.get("/", strict_slashes=False)
@guarded_by(OPEN)
@bp.response(200, HomeSchema)
@bp.doc(responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}})
def show_home() -> Response:
    """Show where to go from here: a page for people, JSON for machines. It says no more than the document does."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = html_page("home.html")
    else:
        links = {**LINKS, "api": gateway().settings.service.api_prefix}
        response = jsonify({"service": "wats", "links": links})
    response.headers["Vary"] = "Accept"
    return response


@bp.get("/openapi.json")
@guarded_by(OPEN)
@bp.response(200, {"type": "object"}, example={"openapi": "3.1.0"})
def show_openapi() -> Response:
    """Show the OpenAPI 3.1 document of every route."""
    return Response(_document(), mimetype="application/json")


@bp.get("/docs")
@guarded_by(OPEN)
@bp.response(200, {"type": "string"}, content_type="text/html")
def show_docs() -> Response:
    """Show a page to browse the OpenAPI document."""
    return html_page("docs.html")


@bp.get("/docs/<asset>")
@guarded_by(OPEN)
@bp.response(200, {"type": "string", "format": "binary"}, content_type="*/*")
def send_asset(asset: str) -> Response:
    """Send a script, style or picture of the page; nothing else of its folder is served."""
    if asset not in ASSETS:
        raise not_found()
    return send_from_directory(ASSETS[asset], asset, max_age=3600)


def html_page(name: str, **parts: str) -> Response:
    """Return a page of ours. Each part, which is HTML, takes the place of the comment with its name."""
    text = (PAGE_FOLDER / name).read_text()
    for part, html in parts.items():
        text = text.replace(f"<!-- {part} -->", html)
    page = Response(text, mimetype="text/html")
    page.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return page


def _document() -> str:
    """Return the document, rendered at the first request for it."""
    render = current_app.extensions.setdefault("wats.openapi", cache(_render))
    return str(render())


def _render() -> str:
    return json.dumps(openapi_document(current_app))
