"""The image's health check: exit code 0 if the gateway answers on the port that the environment names.

It imports nothing of the gateway, because it runs every few seconds, and it ignores the environment's proxies.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 2


def is_alive(port: str) -> bool:
    """Return whether `/healthz` answers 200 at this port."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT_SECONDS)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, ValueError, OverflowError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    wats_port = os.environ.get("WATS_PORT", "")
    ports = (wats_port,) if wats_port.isdecimal() else (os.environ.get("PORT", ""), "3000")
    sys.exit(not any(is_alive(port) for port in ports))
