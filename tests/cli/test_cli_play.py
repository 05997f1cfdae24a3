"""`webhook send` and `listen`: something to play with, in front of a running dry-run."""

import contextlib
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from app.cli.new_secrets import new_destination_secret
from app.domain.meta.signature import signature_of
from app.web.examples import CHANGES
from tests.support.live import write_config
from tests.support.receiver import receiving
from tests.support.serving import FLASK, ROOT, Running, free_port, run, serving
from tests.support.tracing import inherited
from tests.support.waiting import DEADLINE_SECONDS, wait_for

BEARER = {"Authorization": "Bearer dry-run-service-token"}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("play")
    with serving(folder, "--dry-run", environ=variables(folder)) as running:
        yield running


def variables(folder: Path) -> dict[str, str]:
    kept = inherited("PATH", "HOME")
    return {**kept, "WATS_DATA_DIR": str(folder / "data"), "WATS_CONFIG": str(write_config(folder))}


def send(running: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("webhook", "send", *arguments, environ=running.environ)


def types_of_events(running: Running, types: str = "*") -> Counter[str]:
    return Counter(event["type"] for event in running.json(f"/api/events?limit=100&types={types}", BEARER)["items"])


def test_every_example_becomes_its_event(dry_run: Running) -> None:
    done = send(dry_run, "*")

    assert done.stdout == f"done: 1 webhook with {len(CHANGES)} updates each: 1 accepted\n", done.stderr
    wait_for(lambda: types_of_events(dry_run) >= Counter(dict.fromkeys(CHANGES, 1)))


def test_webhooks_are_repeated_and_batched(dry_run: Running) -> None:
    before = types_of_events(dry_run, "message.text")["message.text"]

    done = send(dry_run, "message.text", "--count", "2", "--batch", "3", "--duplicate", "--from", "+4930123")

    assert done.stdout == "done: 2 webhooks with 3 updates each: 2 accepted, 2 duplicate\n", done.stderr
    wait_for(lambda: types_of_events(dry_run, "message.text")["message.text"] == before + 6)


def test_a_wrong_signature_is_refused(dry_run: Running) -> None:
    done = send(dry_run, "message.text", "--bad-signature")

    assert done.stdout == "done: 1 webhook with 1 update each: 1 refused\n", done.stderr
    assert "the service now raises the alert webhooks_refused (signature_mismatch)" in done.stderr


def test_a_live_service_is_only_sent_to_after_two_yeses(dry_run: Running) -> None:
    done = send(dry_run, "message.text", "--live")

    assert done.returncode == 78
    assert "live needs two yeses" in done.stderr


def test_no_token_of_the_service_is_needed_where_the_mode_is_live(dry_run: Running) -> None:
    done = run("webhook", "send", "--list", environ={**dry_run.environ, "WATS_MODE": "live"})

    assert (done.returncode, "message.text" in done.stdout) == (0, True), done.stderr


@contextlib.contextmanager
def listening(
    running: Running, *arguments: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], Path, Path]]:
    """Run `listen` in the background once it follows; yield its process, and the files that it writes to."""
    out, err = running.folder / "listen.out", running.folder / "listen.err"
    with out.open("w") as out_file, err.open("w") as err_file:
        command = [FLASK, "wats", "listen", *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**running.environ, **environ}, stdout=out_file, stderr=err_file, text=True
        )
    try:
        wait_for(lambda: "listening to" in err.read_text() or process.poll() is not None)
        yield process, out, err
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_what_is_heard_is_posted_on_as_a_destination_would_get_it(dry_run: Running) -> None:
    secret = new_destination_secret()
    with receiving() as mine:
        url = f"http://127.0.0.1:{mine.server_port}/mine"
        more = ("--forward-to", url, "--types", "message.text,call.*")
        with listening(dry_run, *more, WATS_LISTEN_SECRET=secret) as (process, out, err):
            send(dry_run, "message.text", "--text", "Grüße")
            wait_for(lambda: "HTTP 204" in out.read_text())
            process.send_signal(signal.SIGINT)
            code = process.wait(DEADLINE_SECONDS)

    [(path, headers, body)] = mine.received
    event = Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert (path, event["type"], event["raw"]["text"]["body"]) == ("/mine", "message.text", "Grüße")
    assert (code, err.read_text().count("\n")) == (0, 1)


def test_listening_survives_a_restart_and_posts_metas_own_envelope(tmp_path: Path) -> None:
    environ = {**variables(tmp_path), "WATS_PORT": str(free_port())}
    with receiving() as mine, serving(tmp_path, "--dry-run", environ=environ) as first:
        arguments = ("--forward-to", f"http://127.0.0.1:{mine.server_port}/bot", "--format", "meta", "--json")
        with listening(first, *arguments) as (process, out, err):
            first.stop()
            with serving(tmp_path, "--dry-run", environ=environ) as second:
                send(second, "message.text")
                wait_for(lambda: "HTTP 204" in out.read_text())
            process.terminate()
            code = process.wait(DEADLINE_SECONDS)

    [(_, headers, body)] = mine.received
    secret = err.read_text().partition("WATS_LISTEN_SECRET=")[2].split()[0]
    [heard] = [json.loads(line) for line in out.read_text().splitlines()]
    assert headers["X-Hub-Signature-256"] == signature_of(body, secret)
    assert json.loads(body)["entry"][0]["changes"][0]["value"]["messages"] == [heard["raw"]]
    assert code == 0


def test_a_url_that_cannot_be_posted_to_is_refused_without_being_printed(dry_run: Running) -> None:
    refused = run("listen", "--forward-to", "ftp://planted-password@h", environ=dry_run.environ)

    assert refused.returncode == 2
    assert "an absolute URL is needed" in refused.stderr
    assert "planted" not in refused.stderr
