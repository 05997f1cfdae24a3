"""Our JSON on its way out: compact, UTF-8, times in ISO 8601 with `Z`."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Response


def json_response(payload: Any, status: int = 200) -> Response:
    """A response with this payload as JSON."""
    return Response(json.dumps(payload, ensure_ascii=False, separators=(",", ":")), status, mimetype=JSON)


def iso(moment: datetime | None) -> str | None:
    """A time as we print it: UTC, milliseconds, `Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


JSON = "application/json"
