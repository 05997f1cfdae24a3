"""`flask wats events …` against a running service."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from app.store import Store
from tests.cli.conftest import store_of
from tests.support.destinations import ScriptedDestination
from tests.support.events import event_id, new_event, put_events
from tests.support.live import write_config
from tests.support.serving import FLASK, ROOT, Running, environment, free_port, run, serving
from tests.support.terminal import on_a_terminal
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import bearer

pytestmark = pytest.mark.usefixtures("unmeasured")

NUMBERS = count()


@contextmanager
def tailing(service: Running, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run `events tail` in the background; yield its process and the file that it writes to."""
    out = service.folder / f"tail-{next(NUMBERS)}"
    with out.open("w") as file, out.with_suffix(".err").open("w") as err:
        command = [FLASK, "wats", "events", "tail", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=dict(service.environ), stdout=file, stderr=err)
    try:
        yield process, out
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_events_are_listed_and_shown(service: Running, stored: Store) -> None:
    put_events(stored, new_event("a"), new_event("b", kind="message.image"))

    table = run("events", "list", "--types", "message.i*", environ=service.environ).stdout.splitlines()
    page = json.loads(run("events", "list", "--oldest", "--json", environ=service.environ).stdout)
    shown = run("events", "show", event_id("a"), environ=service.environ).stdout

    assert table[0].split() == ["id", "sequence", "receivedAt", "type", "contact", "foreign"]
    assert [line.split()[0] for line in table[1:]] == [event_id("b")]
    assert [event["id"] for event in page["items"]][:2] == [event_id("a"), event_id("b")]
    assert '{"id": "wamid.a"' in shown


def test_events_are_listed_newest_first_by_contact_number_and_time(service: Running, stored: Store) -> None:
    put_events(stored, new_event("then", wa_id="15550001111"))
    put_events(stored, *(new_event(n, wa_id="15550001111") for n in ("now", "next")), received_at=datetime.now(UTC))
    chosen = ("--contact", "+15550001111", "--number", "9876543210", "--since", "2h", "--until", "2099-01-01")

    newest = run("events", "list", *chosen, "--json", environ=service.environ).stdout
    first = run("events", "list", "--oldest", *chosen, "--limit", "1", environ=service.environ)

    assert [event["id"] for event in json.loads(newest)["items"]] == [event_id("next"), event_id("now")]
    assert event_id("now") in first.stdout
    assert first.stderr.startswith("next page: --cursor ")


def test_events_are_listed_by_their_receipt(service: Running, stored: Store) -> None:
    put_events(stored, new_event("of 7001"), receipt=7001)
    put_events(stored, new_event("of 7002"), receipt=7002)

    listed = run("events", "list", "--receipt", "rcp_7001", "--json", environ=service.environ).stdout

    assert [event["id"] for event in json.loads(listed)["items"]] == [event_id("of 7001")]


def test_a_time_is_relative_on_a_terminal_only(service: Running, stored: Store) -> None:
    put_events(stored, new_event("just now"), received_at=datetime.now(UTC) - timedelta(minutes=10))
    before = ("--contact", "4915112345678", "--limit", "1")

    seen = on_a_terminal("events", "list", *before, environ=service.environ)
    piped = run("events", "list", *before, environ=service.environ).stdout

    assert re.search(r"1[01] min ago", seen)
    assert re.search(r"T[0-9:.]+Z", piped)
    assert " ago" not in piped


def put_until_seen(service: Running, out: Path) -> None:
    """Put in events until the tail has printed one, and so is known to follow."""
    store = store_of(service)

    def is_seen() -> bool:
        put_events(store, new_event(f"tick {next(NUMBERS)}"))
        return out.read_text() != ""

    wait_for(is_seen)
    store.close()


def cursor_of_now(service: Running) -> str:
    return str(service.json("/api/events?cursor=latest", bearer())["nextCursor"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_tail_prints_new_events_and_exits_with_0_on_a_signal(
    service: Running, stored: Store, number: signal.Signals
) -> None:
    names = [f"{number} text", f"{number} image"]

    with tailing(service, "--json", "--cursor", cursor_of_now(service)) as (process, out):
        for name in names:
            put_events(stored, new_event(name))
        wait_for(lambda: out.read_text().count("\n") == 2)
        process.send_signal(number)

        assert process.wait(DEADLINE_SECONDS) == 0
        assert out.with_suffix(".err").read_text() == ""

    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == list(map(event_id, names))


def test_a_tail_starts_with_new_events(service: Running, stored: Store) -> None:
    put_events(stored, new_event("long ago"))

    with tailing(service) as (_, out):
        put_until_seen(service, out)

    assert event_id("long ago") not in out.read_text()


def test_a_tail_of_some_types_prints_only_these(service: Running, stored: Store) -> None:
    with tailing(service, "--types", "call.*", "--cursor", cursor_of_now(service)) as (_, out):
        put_events(stored, new_event("text"), new_event("call", kind="call.connect"))
        wait_for(lambda: event_id("call") in out.read_text())

    [line] = out.read_text().splitlines()
    assert line.split()[1:] == ["call.connect", "4915112345678", event_id("call")]


def test_a_tail_waits_for_a_service_that_restarts(tmp_path: Path) -> None:
    config = str(write_config(tmp_path))
    more = {"WATS_PORT": str(free_port()), "WATS_CONFIG": config}
    start = ("--config", config, "--live", "--yes-live", "--without-worker")
    environ = environment(tmp_path, **more)
    with serving(tmp_path, *start, environ=environ) as first, tailing(first, "--cursor", "latest") as (process, out):
        put_until_seen(first, out)
        first.stop()
        with serving(tmp_path, *start, environ=environ) as second:
            store = store_of(second)
            put_events(store, new_event("after"))
            store.close()
            wait_for(lambda: event_id("after") in out.read_text())
        process.send_signal(signal.SIGTERM)

        assert process.wait(DEADLINE_SECONDS) == 0
        assert "retrying" in out.with_suffix(".err").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tail", "--cursor", "nonsense"), "[invalid_cursor, request "),
        (("tail", "--types", "a b"), "[invalid_parameter, request "),
        (("show", "evt_1"), "[not_found, request "),
    ],
)
def test_a_refused_request_is_one_line_and_exit_code_1(
    service: Running, arguments: tuple[str, ...], message: str
) -> None:
    ended = run("events", *arguments, environ=service.environ)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert message in ended.stderr


def test_an_error_message_of_a_service_cannot_control_the_terminal(service: Running) -> None:
    error = {"code": "unauthorized", "message": "\x1b[2Jcome in", "requestId": "\x07"}
    with closing(ScriptedDestination()) as impostor:
        impostor.will_answer(401, json.dumps({"error": error}).encode())

        refused = run("events", "list", "--url", f"http://127.0.0.1:{impostor.port}", environ=service.environ)

    assert refused.returncode == 1
    assert "come in" in refused.stderr
    assert all(line.isprintable() for line in refused.stderr.splitlines())


def test_the_content_of_an_event_cannot_control_the_terminal(service: Running, stored: Store) -> None:
    before = cursor_of_now(service)
    put_events(stored, new_event("escape", raw={"text": "\x1b[2J\x07"}, wa_id="1\x1b[31m"))

    listed = run("events", "list", "--oldest", "--cursor", before, environ=service.environ).stdout
    shown = run("events", "show", event_id("escape"), environ=service.environ).stdout

    assert "\x1b" not in listed + shown
    assert r"1\x1b[31m" in listed
