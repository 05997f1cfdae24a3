"""Our JSON on its way out: compact, and in ASCII, which can tell what Meta may send and UTF-8 cannot."""

import json
from typing import Any

from flask import Response


def json_response(payload: Any, status: int = 200) -> Response:
    """A response with this payload as JSON."""
    return Response(json.dumps(payload, separators=(",", ":")), status, mimetype=JSON)


JSON = "application/json"
