"""The image's health check: exit code 0 if all that runs in this container is healthy. It prints what is not.

Each role has left a file in the folder WATS_RUN_DIR (app/startup/role_file.py). A web role is healthy if `/readyz`
answers 200 at its addresses, a worker if its last heartbeat is fresh. It imports nothing of the gateway, because it
runs every few seconds.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ.get("WATS_RUN_DIR", "/nonexistent"))
TIMEOUT_SECONDS = 8
FRESH_SECONDS = 15
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what listens on every address is asked by loopback
REQUEST = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> int:
    """Check every role; return the exit code."""
    problems = {file.stem: problem_of(json.loads(file.read_bytes())) for file in sorted(FOLDER.glob("*.json"))}
    if not problems:
        problems["wats"] = "nothing serves or works here yet"
    for role, problem in problems.items():
        sys.stdout.write(f"{role}: {problem or 'healthy'}\n")
    return int(any(problems.values()))


def problem_of(role: dict) -> str:
    """Return what is wrong with a role; empty if nothing is."""
    if "beatAt" in role:
        age = time.monotonic() - role["beatAt"]
        return "" if 0 <= age < FRESH_SECONDS else f"its last heartbeat is {age:.0f} seconds old"
    return "; ".join(filter(None, map(problem_at, role["addresses"])))


def problem_at(address: str | list) -> str:
    """Return what is wrong with the gateway at an address; empty if it is ready."""
    try:
        answer = ask(address)
    except OSError as error:
        return f"no answer at {address}: {error}"
    status, _, body = answer.partition(b"\r\n\r\n")
    return "" if status.split(b" ")[1:2] == [b"200"] else f"not ready at {address}: {body.decode(errors='replace')}"


def ask(address: str | list) -> bytes:
    """Return the answer of `/readyz` at a TCP address, or at the path of a Unix socket."""
    with connect(address) as connection:
        connection.sendall(REQUEST)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def connect(address: str | list) -> socket.socket:
    """Open a connection to an address as `getsockname` returns it."""
    if not isinstance(address, str):
        host, port, *_ = address
        return socket.create_connection((LOOPBACK.get(host, host), port), TIMEOUT_SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT_SECONDS)
    connection.connect(address)
    return connection


if __name__ == "__main__":
    sys.exit(main())
