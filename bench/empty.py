"""The yardstick: a Flask route that reads its body and does nothing, under the same gunicorn settings."""

from flask import Flask, Response, request

app = Flask("empty")


@app.post("/webhooks/whatsapp")
def swallow() -> Response:
    """Read the body and say so."""
    request.get_data(cache=False)
    return Response('{"status":"accepted"}', mimetype="application/json")
