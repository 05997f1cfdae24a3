"""The upper bound for the webhook endpoint: a Flask route that only reads its body, under the same settings."""

from flask import Flask, Response, request

app = Flask("empty")


@app.post("/webhooks/whatsapp")
def read_and_answer() -> Response:
    """Read the body and answer as the webhook endpoint does."""
    request.get_data(cache=False)
    return Response('{"status":"accepted"}', mimetype="application/json")
