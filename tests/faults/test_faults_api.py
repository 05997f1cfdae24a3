"""Schemathesis over the API of a running dry-run: requests made from the OpenAPI document, right and wrong ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.graph.fake.ids import INCOMING, wamid
from tests.support.live import CONFIG, write_config
from tests.support.serving import Running, environment, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import body_of, signed

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
TOKEN, SECRET = "dry-run-service-token", "dry-run-app-secret"
EXAMPLES = 25
"""Requests for each operation and each way to make them."""

WORKERS = "1"
"""Threads that make requests. Where two parse Python at once, as Hypothesis does, CPython before 3.11.8 may raise a
SystemError, "AST constructor recursion depth mismatch": both count in one variable (python/cpython issue 106905)."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)
"""Not that a 405 lists the methods of the document: an id in a path may hold slashes, so that more routes match. Nor
that a request without a token is 401: hidden routes answer 404."""

GRAPH = "/graph/"
"""Graph's own routes: what they answer is Meta's."""

DESTINATION = """
    destinations:
      - { name: crm, url: "http://127.0.0.1:9/hooks", secret: { env: TEST_CRM_SECRET } }
"""


def fill(running: Running) -> None:
    """Put in what lists and pages show: events, and with them receipts and deliveries."""
    for number in range(3):
        body = body_of(f"hi {number}", wamid=wamid("4915112345678", f"A{number}", marker=INCOMING))
        assert running.ask("POST", "/webhooks/whatsapp", body, signed(body, SECRET))[0] == 200
    wait_for(lambda: len(running.json("/api/events", {"Authorization": f"Bearer {TOKEN}"})["items"]) == 3)


def test_no_request_gets_a_server_error_or_an_undocumented_answer(tmp_path: Path, long: bool) -> None:
    if not long:
        pytest.skip("it sends thousands of requests")
    config = write_config(tmp_path, CONFIG + DESTINATION)
    with serving(tmp_path, "--dry-run", "--config", str(config), environ=environment(tmp_path)) as running:
        fill(running)
        url = f"http://127.0.0.1:{running.port}/openapi.json"
        chosen = (
            "--checks",
            ",".join(CHECKS),
            "--exclude-path-regex",
            GRAPH,
            "--phases",
            "examples,coverage,fuzzing",
        )
        how = ("--max-examples", str(EXAMPLES), "--suppress-health-check", "all", "--workers", WORKERS, "--no-color")
        command = [SCHEMATHESIS, "run", url, "--header", f"Authorization: Bearer {TOKEN}", *chosen, *how]

        done = subprocess.run([*command, "--continue-on-failure"], cwd=tmp_path, capture_output=True, text=True)

        print(done.stdout)
        assert done.returncode == 0
        assert "http.failed" not in running.err
