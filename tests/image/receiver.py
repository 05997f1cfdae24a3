"""An application that takes what the gateway pushes, as a container; its name is `crm`, as in our example config."""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.image.engine import HARDENED, Image, ended, engine
from tests.support.serving import ROOT

SECRET = {"WATS_CRM_SECRET": "crm-secret-5d0c2f1b"}
LISTENING = """
import http.server as h

class Taking(h.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print(self.headers["webhook-id"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass

h.ThreadingHTTPServer(("", 8080), Taking).serve_forever()
"""


@dataclass(frozen=True)
class Receiver:
    """A running receiver."""

    name: str

    def ids(self) -> list[str]:
        """Return the id of each event that it has taken, in the order in which they came."""
        return engine("logs", self.name).split()


@contextlib.contextmanager
def receiving(image: Image, network: str) -> Iterator[Receiver]:
    """Run a receiver in a network while the block runs."""
    receiver = Receiver(f"wats-test-{uuid.uuid4().hex[:12]}")
    placed = ("--detach", "--name", receiver.name, "--network", network, "--network-alias", "crm")
    engine("run", *placed, *HARDENED, image.name, "python", "-I", "-S", "-c", LISTENING)
    try:
        yield receiver
    finally:
        ended("rm", "--force", receiver.name)


def config_with_destination(folder: Path) -> Path:
    """Write the config that we ship, with its example of a destination in force."""
    text = (ROOT / "config" / "wats.config.yaml").read_text()
    for line in ("destinations:", '  - { name: crm, url: "http://crm:8080/hooks"'):
        assert f"    # {line}" in text
        text = text.replace(f"    # {line}", f"    {line}")
    file = folder / "wats.config.yaml"
    file.write_text(text)
    return file
