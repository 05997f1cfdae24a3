"""The samples of the documents, run as a reader runs them, against one gateway in dry-run."""

import http.client
import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.simulate import read_script
from app.config import Flags, load_settings
from app.config.secrets.dry_run import placeholder_of_destination
from app.domain.standard_webhooks import signing_headers
from tests.samples.conftest import RECEIVERS, Reader, Receiver
from tests.support.live import write_config
from tests.support.node import node_folder, run_node
from tests.support.proxies import program
from tests.support.samples import files_of, page, settings_of, write_files
from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS, wait_for

TOKEN = {"Authorization": "Bearer dry-run-service-token"}


RUN_AS_THEY_ARE = [
    "dry-run.md",
    "go-live.md",
    "moving.md",
    "numbers.md",
    "replay.md",
    "rotate.md",
    "send.md",
    "troubleshoot.md",
]
RUN_BY_NAME = ["README.md", "pull.md", "push.md", "receive.md", "templates.md", "verify.md"]
RUN_ELSEWHERE = {
    "configure.md": "tests/config/test_config_docs.py",
    "first-hour.md": "tests/house/test_house_examples.py",
    "graph.md": "tests/graph_proxy/test_graph_proxy_sdks.py",
    "media.md": "tests/media/test_media_docs.py",
    "operate.md": "tests/house/test_house_night.py",
}
"""Pages with samples, each with the tests that run them."""

NOT_RUN = {"benchmarks.md", "monitor.md"}
"""`make bench` takes an hour; the other one needs a collector of OpenTelemetry."""

WITH_SETTINGS = ["dry-run.md", "graph.md", "media.md", "moving.md", "numbers.md", "receive.md", "rotate.md"]
"""Pages with pieces of a profile; configure.md has a test of its own."""


RUNNABLE = re.compile(r"^```(sh|python|js|php|go)$", re.MULTILINE)


def post(receiver: Receiver, body: bytes, headers: dict[str, str]) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=DEADLINE_SECONDS)) as connection:
        connection.request("POST", "/hooks", body, headers)
        return connection.getresponse().status


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_keeps_each_event_once_and_refuses_what_is_not_signed(
    name: str, receivers: dict[str, Receiver]
) -> None:
    receiver, body = receivers[name], b'{"id":"evt_twice","type":"wats.test"}'
    headers = signing_headers("evt_twice", datetime.now(UTC), body, ["another secret", receiver.secret])

    answers = [post(receiver, sent, headers) for sent in (body, body, body + b" ")]

    assert answers == [204, 204, 401]
    wait_for(lambda: receiver.count("evt_twice") == 2)
    assert (receiver.count("new evt_twice"), receiver.count("again evt_twice")) == (1, 1)


def test_the_receivers_get_what_a_customer_writes_and_the_handler_answers_it_once(
    reader: Reader, receivers: dict[str, Receiver]
) -> None:
    reader.run_page("receive.md")
    reader.run_page("push.md")
    reader.run("flask", "wats", "webhook", "send", "message.text", "--from", "+4915120000000")

    for receiver in receivers.values():
        wait_for(lambda: receiver.count("message.text") >= 3)  # noqa: B023
    handle_all(reader)
    answered = answers_to("+4915120000000", reader)
    assert len(answered) == 1
    with closing(sqlite3.connect(reader.folder / "crm" / "inbox.sqlite3")) as db, db:
        db.execute("UPDATE inbox SET handled = 0")
    handle_all(reader)
    assert answers_to("+4915120000000", reader) == answered


def handle_all(reader: Reader) -> None:
    """Run the handler until it has handled the whole inbox, and kill it."""
    inbox = reader.folder / "crm" / "inbox.sqlite3"
    with (
        reader.running("python", "handle.py", folder=reader.folder / "crm") as out,
        closing(sqlite3.connect(inbox)) as db,
    ):
        wait_for(lambda: not left_in(db) or "Error" in out.read_text())
    assert "Error" not in out.read_text()


def left_in(db: sqlite3.Connection) -> list[object]:
    return db.execute("SELECT id FROM inbox WHERE handled = 0").fetchall()


def answers_to(number: str, reader: Reader) -> list[str]:
    """Return the ids of the messages to a customer."""
    listed = reader.gateway.json("/api/messages?direction=outbound&contact=" + number.replace("+", "%2B"), TOKEN)
    return [message["id"] for message in listed["items"]]


def test_a_bot_of_pywa_behind_wats_answers_a_customer(reader: Reader, ports: dict[str, int]) -> None:
    write_files("moving.md", reader.folder)
    write_files("graph.md", reader.folder)
    secrets = {"BOT_SECRET": placeholder_of_destination("bot"), "WATS_BOT_TOKEN": "dry-run-service-token"}

    with reader.running(
        *("flask", "--app", "bot", "run", "--port", str(ports["bot"])),
        **secrets,
        PHONE_NUMBER_ID="9876543210",
        PYTHONPATH=str(reader.folder),
    ) as out:
        wait_for(lambda: "Running on" in out.read_text())
        reader.run("flask", "wats", "destinations", "resume", "bot")
        reader.run("flask", "wats", "webhook", "send", "message.contacts", "--from", "+4915130000000")
        wait_for(lambda: answers_to("+4915130000000", reader) or "Error" in out.read_text())
        wait_for(lambda: '"POST / HTTP/1.1" 200' in out.read_text())

    assert len(answers_to("+4915130000000", reader)) == 1
    by_hand = {**secrets, "PHONE_NUMBER_ID": "9876543210", "TO": "4915130000001"}
    assert reader.run("python", "to_wats.py", **by_hand).startswith("wamid.")


@pytest.mark.parametrize("command", [("python", "pull.py"), ("node", "pull.mjs")], ids=["python", "node"])
def test_a_reader_goes_on_where_it_has_acknowledged(command: tuple[str, str], reader: Reader) -> None:
    folder = node_folder() if command[0] == "node" else reader.folder
    write_files("pull.md", folder)
    consumer = {"python": "crm", "node": "crm-node"}[command[0]]

    with reader.running(*command, folder=folder) as before:
        reader.run_page("pull.md")
        wait_for(lambda: "message.text" in before.read_text() and lag_of(consumer, reader) == 0)
    with reader.running(*command, folder=folder) as after:
        reader.run("flask", "wats", "webhook", "send", "message.image")
        wait_for(lambda: "message.image" in after.read_text())

    assert set(before.read_text().splitlines()) & set(after.read_text().splitlines()) == set()


def lag_of(consumer: str, reader: Reader) -> object:
    listed = reader.gateway.json("/api/consumers", TOKEN)["items"]
    return next((each["lag"] for each in listed if each["name"] == consumer), None)


@pytest.mark.parametrize("name", RUN_AS_THEY_ARE)
def test_the_commands_of_a_page_work(name: str, reader: Reader) -> None:
    assert reader.run_page(name)


def test_the_python_sample_of_sending_prints_the_id(reader: Reader) -> None:
    (reader.folder / "send_text.py").write_text(reader.here(files_of("send.md")["send_text.py"]))

    assert reader.run("python", "send_text.py").startswith("msg_")


def test_every_page_with_samples_is_run_by_a_test() -> None:
    told = {*RUN_AS_THEY_ARE, *RUN_BY_NAME, *RUN_ELSEWHERE, *NOT_RUN}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    assert {page.name for page in pages if RUNNABLE.search(page.read_text())} - told == set()
    for name, tests in RUN_ELSEWHERE.items():
        assert name in (ROOT / tests).read_text()


def test_the_first_minutes_of_the_readme_go_as_described(reader: Reader) -> None:
    (reader.folder / "send.py").write_text(reader.here(files_of("../README.md")["send.py"]))

    printed = reader.run_page("../README.md")
    sent = reader.run("python", "send.py")
    by_bot = run_node(files_of("../README.md")["bot.mjs"], WATS_GRAPH_URL=reader.environ["WATS_GRAPH_URL"])

    assert '"items":[{' in printed
    assert sent.startswith("msg_")
    assert by_bot.stdout.startswith("wamid."), by_bot.stderr


def test_a_template_that_is_made_and_approved_can_be_sent(reader: Reader) -> None:
    (reader.folder / "order_shipped.py").write_text(reader.here(files_of("templates.md")["order_shipped.py"]))

    printed = reader.run_page("templates.md")
    sent = reader.run("python", "order_shipped.py")

    assert '"event":"APPROVED"' in printed
    assert sent.strip() in ("accepted", "sent", "delivered", "read")


@pytest.mark.parametrize("name", WITH_SETTINGS)
def test_the_settings_of_a_page_are_valid(name: str, tmp_path: Path) -> None:
    for settings in settings_of(name):
        settings = settings.get("profiles", {}).get("local", settings)
        config = {"version": 1, "profiles": {"prod": merged(profile(), settings)}}
        path = write_config(tmp_path, yaml.safe_dump(config))
        assert load_settings(Flags(config=path, dry_run=True), {}).profile == "prod"


def test_every_page_with_settings_is_among_them() -> None:
    pages = [each for each in (ROOT / "docs").glob("*.md") if "```yaml" in each.read_text()]

    assert {each.name for each in pages} == {*WITH_SETTINGS, "configure.md"}


def test_the_script_of_the_page_is_one_of_simulate(tmp_path: Path) -> None:
    [script] = re.findall(r"^```json\n(.*?)^```", page("dry-run.md"), re.MULTILINE | re.DOTALL)
    (tmp_path / "script.json").write_text(script)

    assert len(read_script(tmp_path / "script.json")) == 4


def merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a profile to which a reader has added a piece of a page."""
    both = {key: {**base[key], **more[key]} for key in base if isinstance(more.get(key), dict)}
    return {**base, **more, **both}


def profile() -> dict[str, Any]:
    example = yaml.safe_load((ROOT / "config" / "wats.config.yaml").read_text())
    profile: dict[str, Any] = example["profiles"]["local"]
    return profile


VECTOR = dict(
    re.findall(r"^\| (\S+) \| `(.*)` \|$", page("verify.md").partition("## A test vector")[2], re.MULTILINE)
)
HEADERS = {name.strip("`"): value for name, value in VECTOR.items() if name.startswith("`")}
AT = int(HEADERS["webhook-timestamp"])


def test_the_vector_of_the_page_is_what_we_sign() -> None:
    at, body = datetime.fromtimestamp(AT, UTC), VECTOR["body"].encode()

    assert signing_headers(HEADERS["webhook-id"], at, body, [VECTOR["secret"]]) == HEADERS


def test_the_secret_of_the_page_is_that_of_a_dry_run() -> None:
    assert f"export WATS_CRM_SECRET={placeholder_of_destination('crm')}\n" in page("receive.md")


COMPILERS = {
    "php": program("php"),
    "go": program("go") or shutil.which("go", path=ROOT / ".venv" / "go" / "bin"),
}
"""The programs of languages that a machine may lack."""

CASES = [(VECTOR["body"], 0, True), (VECTOR["body"] + " ", 0, False), (VECTOR["body"], 301, False)]
"""A body, how many seconds too late it comes, and whether it is to be accepted."""


@pytest.mark.parametrize("language", ["py", "mjs", "php", "go"])
def test_the_function_of_the_page_accepts_the_vector_and_nothing_else(language: str, tmp_path: Path) -> None:
    if language in COMPILERS and COMPILERS[language] is None:
        pytest.skip(f"there is no {language} here: .ci/programs gets it")

    answers = [
        VERIFIERS[language](files_of("verify.md")[f"verify.{language}"], tmp_path, *case[:2]) for case in CASES
    ]

    assert answers == [case[2] for case in CASES]


def by_python(code: str, _folder: Path, body: str, late: int) -> bool:
    sample: dict[str, Any] = {}
    exec(code, sample)
    verdict: bool = sample["is_ours"](VECTOR["secret"], HEADERS, body.encode(), AT + late)
    return verdict


def by_node(code: str, _folder: Path, body: str, late: int) -> bool:
    words = ", ".join(json.dumps(word) for word in (VECTOR["secret"], HEADERS, body, AT + late))
    return printed_true(run_node(f"{code}console.log(isOurs({words}));"))


def by_php(code: str, folder: Path, body: str, late: int) -> bool:
    call = "var_export(is_ours($argv[1], $argv[2], $argv[3], $argv[4], $argv[5], (int) $argv[6]));"
    (folder / "verify.php").write_text(code + call)
    words = (VECTOR["secret"], *HEADERS.values(), body, str(AT + late))
    command = [COMPILERS["php"] or "php", "verify.php", *words]
    return printed_true(subprocess.run(command, cwd=folder, capture_output=True, text=True))


GO = """
package main

import ("fmt"; "net/http"; "os"; "strconv"; "time")

func main() {
	header := http.Header{}
	header.Set("webhook-id", os.Args[2])
	header.Set("webhook-timestamp", os.Args[3])
	header.Set("webhook-signature", os.Args[4])
	now, _ := strconv.ParseInt(os.Args[6], 10, 64)
	fmt.Println(IsOurs(os.Args[1], header, []byte(os.Args[5]), time.Unix(now, 0)))
}
"""


def by_go(code: str, folder: Path, body: str, late: int) -> bool:
    (folder / "verify.go").write_text(code)
    (folder / "main.go").write_text(GO)
    words = (VECTOR["secret"], *HEADERS.values(), body, str(AT + late))
    command = [COMPILERS["go"] or "go", "run", "verify.go", "main.go", *words]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CGO_ENABLED": "0"}
    return printed_true(subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True))


def printed_true(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.returncode == 0, done.stderr
    return {"true": True, "false": False}[done.stdout.strip()]


VERIFIERS = {"py": by_python, "mjs": by_node, "php": by_php, "go": by_go}
