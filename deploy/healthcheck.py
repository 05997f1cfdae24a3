"""The image's health check: exit code 0 if the gateway answers on the port that the environment tells.

It stands alone and imports nothing of the gateway, so that asking every few seconds costs little. Proxies that the
environment names are passed by.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 2


def is_alive(port: str) -> bool:
    """Tells whether `/healthz` answers 200 at this port."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT_SECONDS)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, ValueError, OverflowError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    told = os.environ.get("WATS_PORT", "")
    ports = (told,) if told.isdecimal() else (os.environ.get("PORT", ""), "3000")
    sys.exit(not any(is_alive(port) for port in ports))
