"""A fast Meta in a process of its own: accepts every message after 100 ms, and measures when each came.

    python -m bench.meta PORT

It checks nothing, so that it takes little of the processors that it shares with what is measured. It reports as
`bench.destination` does; `lags` are those of messages whose text holds the time of their request (`sent=<seconds>;`).
"""

import json
import re
import sys
from itertools import count

import gevent

from bench.destination import serve

LATENCY_SECONDS = 0.1
RECIPIENT = re.compile(rb'"to": ?"\+?(\d+)"')

_numbers = count()


def accepted(body: bytes) -> bytes:
    """Return what Meta answers to a message that it accepts."""
    gevent.sleep(LATENCY_SECONDS)
    found = RECIPIENT.search(body)
    customer = found[1].decode() if found else ""
    content = json.dumps(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": customer, "wa_id": customer}],
            "messages": [{"id": f"wamid.HBgNNDkxNTExMjM0NTY3OBUCABEYEjQ{next(_numbers):012d}"}],
        }
    ).encode()
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nfacebook-api-version: v25.0\r\n"
        b"Content-Length: %d\r\n\r\n" % len(content) + content
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]), accepted)
