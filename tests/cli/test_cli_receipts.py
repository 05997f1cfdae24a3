"""`flask wats receipts …` against a running service, and against servers that are not wats."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.live import write_config
from tests.support.serving import FLASK, ROOT, Running, free_port, run, serving
from tests.support.webhooks import PATH, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

BODY = body_of("Grüße") + b"\r\n\x00"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("receipts")
    config = str(write_config(folder))
    with serving(folder, "--config", config, "--live", "--yes-live", "--without-worker") as running:
        assert running.ask("POST", PATH, BODY, signed(BODY))[0] == 200
        yield running


def receipts(running: Running, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `flask wats receipts …` as a user does beside the running service."""
    environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml"), **more}
    return run("receipts", *arguments, environ=environ)


def test_receipts_are_listed_as_a_table_and_as_json(running: Running) -> None:
    table = receipts(running, "list").stdout.splitlines()
    page = json.loads(receipts(running, "list", "--json").stdout)

    assert table[0].split()[:3] == ["id", "receivedAt", "state"]
    assert [line.split()[0] for line in table[1:]] == [receipt["id"] for receipt in page["items"]]


def test_a_state_without_receipts_prints_no_receipts(running: Running) -> None:
    listed = receipts(running, "list", "--state", "unreadable")

    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "no receipts\n")


def test_a_receipt_is_shown_and_reprocessed(running: Running) -> None:
    shown = json.loads(receipts(running, "show", "rcp_1", "--json").stdout)
    again = json.loads(receipts(running, "reprocess", "rcp_1", "--json").stdout)

    assert (shown["id"], shown["size"]) == ("rcp_1", len(BODY))
    assert again["state"] == "pending"
    assert "rcp_1" in receipts(running, "show", "rcp_1").stdout


def test_a_receipt_that_is_not_unreadable_is_not_dismissed(running: Running) -> None:
    one, none = receipts(running, "dismiss", "rcp_1"), receipts(running, "dismiss", "--all", "--yes")

    assert (one.returncode, "[not_unreadable, request " in one.stderr) == (1, True)
    assert none.stdout == "done: 0 unreadable receipts dismissed\n"


def test_every_receipt_of_a_state_is_reprocessed(running: Running) -> None:
    for number in range(101):
        body = body_of(f"bulk {number}")
        assert running.ask("POST", PATH, body, signed(body))[0] == 200

    reprocessed = receipts(running, "reprocess", "--state", "pending")
    as_json = receipts(running, "reprocess", "--state", "unreadable", "--json")

    assert reprocessed.stdout == "done: 102 receipts queued to be split again\n"
    assert reprocessed.stderr == "reprocessing: 100 done, 2 left to check\n"
    assert json.loads(as_json.stdout) == {"reprocessed": 0, "erased": 0}


@pytest.mark.parametrize("arguments", [(), ("rcp_1", "--state", "unreadable")])
def test_reprocess_needs_either_one_receipt_or_a_state(running: Running, arguments: tuple[str, ...]) -> None:
    ended = receipts(running, "reprocess", *arguments)

    assert (ended.returncode, ended.stdout) == (2, "")


def test_a_body_is_printed_byte_for_byte(running: Running) -> None:
    environ = {**running.environ, "WATS_CONFIG": str(running.folder / "wats.config.yaml")}
    command = [FLASK, "wats", "receipts", "show", "rcp_1", "--body"]

    assert subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=True).stdout == BODY


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (("show", "rcp_999"), {}, "There is no receipt rcp_999. [not_found, request "),
        (("show", "../status"), {}, "[not_found, request "),
        (("list", "--cursor", "nonsense"), {}, "[invalid_cursor, request "),
        (
            ("list",),
            {"TEST_SERVICE_TOKEN": "another-token-altogether"},
            "]; the token is that of TEST_SERVICE_TOKEN: ",
        ),
        (("reprocess", "rcp_1"), {"TEST_SERVICE_TOKEN": "reader-token-a8412c9df07b4e3a"}, "[forbidden, request "),
        (("list",), {"WATS_PORT": str(free_port())}, "error: no service answers at http://127.0.0.1:"),
    ],
)
def test_a_refusal_or_an_absent_service_is_one_line_and_exit_code_1(
    running: Running, arguments: tuple[str, ...], more: dict[str, str], message: str
) -> None:
    ended = receipts(running, *arguments, **more)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert message in ended.stderr


class OtherServer(BaseHTTPRequestHandler):
    """Answers every GET with the body that the path names."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        body = {"html": b"<html>Welcome</html>", "list": b"[]", "empty": b"", "missing": b"<html>404"}[kind]
        self.send_response(404 if kind == "missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def other_server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), OtherServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("answer", ["html", "list", "empty", "missing"])
def test_a_server_that_is_not_wats_is_recognised(running: Running, other_server: str, answer: str) -> None:
    ended = receipts(running, "list", "--url", f"{other_server}/{answer}")

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"error: the server at {other_server}/{answer}/api is not wats; ")
    assert "--url" in ended.stderr


@pytest.mark.parametrize("url", ["http://a..b", f"http://{'a' * 80}.example", "http://-", "http://127.0.0.1:0"])
def test_a_url_with_an_impossible_host_is_refused(running: Running, url: str) -> None:
    ended = receipts(running, "list", "--url", url)

    assert (ended.returncode, ended.stderr.count("\n")) == (78, 1)
    assert ended.stderr.startswith("--url: ")
