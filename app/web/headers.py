"""Headers that every answer bears: nothing is sniffed, and nothing that we say is kept in a cache."""

from flask import Flask, Response


def register_headers(app: Flask) -> None:
    """Put them on every answer that does not say otherwise itself."""
    app.after_request(_mark)


def _mark(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
