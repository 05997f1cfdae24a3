"""Planted secrets appear nowhere: in no output, log line, metric, document, response or command line."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.receiver import Receiver, receiving
from tests.support.serving import Running, command_line, environment, run, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

PLANTED = {
    "P_ACCESS_TOKEN": "EAAplanted-access-token-0001",
    "P_VERIFY_TOKEN": "planted-verify-token-0002",
    "P_OLD_VERIFY_TOKEN": "planted-old-verify-token-0003",
    "P_APP_SECRET": "planted-app-secret-0004",
    "P_OLD_APP_SECRET": "planted-old-app-secret-0005",
    "P_SERVICE_TOKEN": "planted-service-token-0006",
    "P_READER_TOKEN": "planted-reader-token-0007",
    "P_DESTINATION_SECRET": "planted-destination-secret-0008",
    "P_OLD_DESTINATION_SECRET": "whsec_cGxhbnRlZC1vbGQtZGVzdGluYXRpb24tc2VjcmV0",
    "P_HEADER": "Bearer planted-header-0009",
    "P_DATABASE_URL": "sqlite:///{folder}/planted-database-0010.sqlite3",
}
FROM_FILE = "planted-env-file-0011"
FROM_SECRET_FILE = "planted-secret-file-0012"
URL_KEY = "planted-url-key-0013"
WHSEC_BYTES = "planted-old-destination-secret"

CONFIG = """
version: 1
profiles:
  planted:
    whatsapp: { wabaId: "1234567890", phoneNumberId: "9876543210" }
    auth: { accessToken: { env: P_ACCESS_TOKEN } }
    webhook:
      verifyToken: { env: P_VERIFY_TOKEN, previous: { env: P_OLD_VERIFY_TOKEN } }
      appSecret: { env: P_APP_SECRET, previous: { env: P_OLD_APP_SECRET } }
    service:
      bearerToken: { env: P_SERVICE_TOKEN }
      tokens:
        - { name: reader, token: { env: P_READER_TOKEN }, scopes: [read] }
        - { name: filed, token: { env: P_FILED_TOKEN }, scopes: [read] }
        - { name: mounted, token: { env: P_MOUNTED_TOKEN }, scopes: [read] }
    storage: { url: { env: P_DATABASE_URL } }
    destinations:
      - name: crm
        url: "http://127.0.0.1:PORT/hooks?key=URL_KEY"
        secret: { env: P_DESTINATION_SECRET, previous: { env: P_OLD_DESTINATION_SECRET } }
        headers: { Authorization: { env: P_HEADER } }
      - name: away
        url: "http://127.0.0.1:9/hooks?key=URL_KEY"
        secret: { env: P_DESTINATION_SECRET, previous: { env: P_OLD_DESTINATION_SECRET } }
        headers: { Authorization: { env: P_HEADER } }
"""


def needles() -> list[str]:
    words = [value.removeprefix("Bearer ") for name, value in PLANTED.items() if name != "P_DATABASE_URL"]
    return [*words, "planted-database-0010", FROM_FILE, FROM_SECRET_FILE, URL_KEY, WHSEC_BYTES]


def secrets_in(text: str) -> list[str]:
    return [needle for needle in needles() if needle in text]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("planted")
    config = CONFIG.replace("PORT", str(receiver.server_address[1])).replace("URL_KEY", URL_KEY)
    (folder / "wats.config.yaml").write_text(config)
    (folder / "live.env").write_text(f"P_FILED_TOKEN={FROM_FILE}\n")
    (folder / "live.env").chmod(0o600)
    (folder / "mounted").write_text(FROM_SECRET_FILE + "\n")
    planted = {name: value.format(folder=folder) for name, value in PLANTED.items()}
    environ = environment(folder, **planted, P_MOUNTED_TOKEN_FILE=str(folder / "mounted"))
    arguments = ("--config", str(folder / "wats.config.yaml"), "--live", "--yes-live")
    with serving(folder, *arguments, "--env-file", str(folder / "live.env"), environ=environ, anew=True) as running:
        yield running


AFTER_DELIVERY = (
    "/api/deliveries",
    "/api/events",
    "/api/destinations",
    "/status",
    "/metrics",
    "/debug/diagnostics",
)
COMMANDS_AFTER_DELIVERY = (
    ("deliveries", "list"),
    ("destinations", "list"),
    ("destinations", "test", "away"),
    ("events", "list", "--json"),
    ("status",),
)
TOKEN = {"Authorization": f"Bearer {PLANTED['P_SERVICE_TOKEN']}"}


def test_every_planted_secret_is_in_use(running: Running) -> None:
    for value in (PLANTED["P_SERVICE_TOKEN"], PLANTED["P_READER_TOKEN"], FROM_FILE, FROM_SECRET_FILE):
        assert running.ask("GET", "/api/receipts", headers={"Authorization": f"Bearer {value}"})[0] == 200
    for name in ("P_VERIFY_TOKEN", "P_OLD_VERIFY_TOKEN"):
        query = f"?hub.mode=subscribe&hub.challenge=7&hub.verify_token={PLANTED[name]}"
        assert running.ask("GET", PATH + query) == (200, b"7")


@pytest.mark.parametrize("path", ["/status", "/metrics", "/debug/diagnostics", "/openapi.json", "/docs", "/readyz"])
def test_no_response_contains_a_secret(running: Running, path: str) -> None:
    status, body = running.ask("GET", path, headers=TOKEN)

    assert status == 200
    assert secrets_in(body.decode()) == []


def deliveries(running: Running) -> list[Any]:
    return list(running.json("/api/deliveries", TOKEN)["items"])


def test_no_delivery_prints_a_secret_whether_it_succeeds_or_fails(running: Running, receiver: Receiver) -> None:
    body = body_of()
    running.ask("POST", PATH, body, signed(body, PLANTED["P_APP_SECRET"]))
    wait_for(lambda: sorted(len(delivery["attempts"]) for delivery in deliveries(running)) == [1, 1])
    config = ("--config", str(running.folder / "wats.config.yaml"))
    modes = {"WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_ENV_FILE": str(running.folder / "live.env")}
    tests = [running.ask("POST", f"/api/destinations/{name}/test", headers=TOKEN) for name in ("crm", "away")]
    responses = [running.ask("GET", path, headers=TOKEN) for path in AFTER_DELIVERY]
    commands = [run(*words, *config, environ={**running.environ, **modes}) for words in COMMANDS_AFTER_DELIVERY]

    where, headers, _ = receiver.received[0]
    assert where.endswith(URL_KEY)
    assert headers["Authorization"] == PLANTED["P_HEADER"]
    assert {status for status, _ in [*tests, *responses]} == {200}
    assert [secrets_in(answer.decode()) for _, answer in [*tests, *responses]] == [[]] * len([*tests, *responses])
    assert [secrets_in(ended.stdout + ended.stderr) for ended in commands] == [[]] * len(commands)
    assert '"delivery.attempted"' in running.err
    assert secrets_in(running.out + running.err) == []


def test_no_error_contains_a_secret(running: Running) -> None:
    wrong = {"Authorization": f"Bearer {PLANTED['P_APP_SECRET']}"}
    answers = [
        running.ask("GET", f"/api/receipts/{PLANTED['P_ACCESS_TOKEN']}", headers=TOKEN),
        running.ask("GET", "/api/receipts", headers=wrong),
        running.ask("GET", f"{PATH}?hub.mode=subscribe&hub.challenge=7&hub.verify_token={FROM_FILE}"),
        running.ask("POST", PATH, b"{}", {"X-Hub-Signature-256": PLANTED["P_APP_SECRET"]}),
        running.ask("GET", f"/{PLANTED['P_VERIFY_TOKEN']}"),
    ]

    assert [status for status, _ in answers] == [404, 401, 403, 400, 404]
    assert [secrets_in(body.decode()) for _, body in answers] == [[]] * 5


def test_no_log_line_contains_a_segment_of_a_path_that_is_not_ours(running: Running) -> None:
    paths = ["/api/contacts/4917755566677", "/4917755566677", "/short", f"/wats{PATH}"]

    assert {running.ask("GET", path)[0] for path in paths} == {401, 404}
    wait_for(lambda: '"path":"/\\u2026/webhooks/whatsapp"' in running.err)
    assert "4917755566677" not in running.err
    assert "short" not in running.err


def test_no_command_line_and_no_output_contains_a_secret(running: Running) -> None:
    for path in (f"/{PLANTED['P_VERIFY_TOKEN']}", f"{PATH}?hub.verify_token={PLANTED['P_VERIFY_TOKEN']}"):
        running.ask("GET", path)

    assert len(running.pids()) == 5
    assert secrets_in("".join(map(command_line, running.pids()))) == []
    assert secrets_in(running.out + running.err) == []
    assert "hub.verify_token" not in running.err


@pytest.mark.parametrize(
    "command", [("serve", "--print-config"), ("serve", "--print-routes"), ("config", "show"), ("config", "validate")]
)
def test_no_command_prints_a_secret(running: Running, command: tuple[str, ...]) -> None:
    config = str(running.folder / "wats.config.yaml")
    modes = {"WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_ENV_FILE": str(running.folder / "live.env")}

    shown = run(*command, "--config", config, environ={**running.environ, **modes})

    assert shown.returncode == 0, shown.stderr
    assert secrets_in(shown.stdout + shown.stderr) == []


def test_an_unreachable_database_is_not_named(running: Running) -> None:
    url = "postgresql://planted-user:planted-app-secret-0004@127.0.0.1:9/planted-database-0010"
    modes = {"WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_ENV_FILE": str(running.folder / "live.env")}
    environ = {**running.environ, **modes, "P_DATABASE_URL": url}

    ended = run("db", "status", "--config", str(running.folder / "wats.config.yaml"), environ=environ)

    assert ended.returncode == 1
    assert secrets_in(ended.stdout + ended.stderr) == []
    assert "planted-user" not in ended.stderr
