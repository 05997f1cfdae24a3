"""The gateway of the application that handles the current request.

Apart from `app.gateway`, which the worker imports too: the worker needs no Flask.
"""

from typing import cast

from flask import current_app

from app.gateway import EXTENSION, Gateway


def gateway() -> Gateway:
    """Return the gateway of the application that handles the current request."""
    return cast("Gateway", current_app.extensions[EXTENSION])
