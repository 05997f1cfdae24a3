"""`setup` on a terminal, and `onboarding`: from an account of Meta's to the files of live mode."""

import contextlib
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import wats
from app.cli.onboarding import FIELDS
from app.cli.setup import Answers, files_of
from app.config import Flags, load_settings
from app.config.start.env_file import read_env_file
from tests.support.serving import ROOT
from tests.support.tracing import inherited
from tests.support.waiting import DEADLINE_SECONDS, wait_for

QUESTIONS = {
    "WhatsApp Business Account id": "1112223334",
    "Phone number id": "5556667778",
    "Access token": "EAAplanted-access-token",
    "App secret": "planted-app-secret-0123",
    "Port to listen on": "3111",
    "Database": "postgresql://wats:planted@db/wats",
    "URL of your application": "http://127.0.0.1:8080/hooks",
}
HIDDEN = ("planted-access", "planted-app-secret", "planted@db")
FILES = ["wats.config.yaml", ".env.local"]


def as_a_shell_does() -> None:
    """Give the process the terminal, and Ctrl-C its meaning, which a test run in the background ignores."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal with `setup` in it. `shown`: what has appeared on it."""

    def __init__(self, folder: Path) -> None:
        self._screen, inside = os.openpty()
        environ = inherited("PATH")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "deploy" / "wats"), "setup", str(folder)],
            env={**environ, "HOME": str(folder)},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
            preexec_fn=as_a_shell_does,
        )
        os.close(inside)
        os.set_blocking(self._screen, False)
        self.shown = ""

    def read_until(self, text: str) -> None:
        def has_appeared() -> bool:
            with contextlib.suppress(BlockingIOError, OSError):
                self.shown += os.read(self._screen, 65536).decode()
            return text in self.shown

        wait_for(has_appeared)

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._screen)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "new")
    yield one
    one.close()


def settings_in(folder: Path, **kind: bool):
    secrets, _ = read_env_file(folder / ".env.local")
    return load_settings(Flags(config=folder / "wats.config.yaml", **kind), secrets)


def test_what_is_asked_for_becomes_a_config_and_a_private_env_file(terminal: Terminal, tmp_path: Path) -> None:
    for question, answer in QUESTIONS.items():
        terminal.read_until(f"{question}")
        terminal.read_until(": ")
        terminal.type(f"{answer}\n")
    terminal.read_until("go live:")
    code = terminal.process.wait(DEADLINE_SECONDS)

    settings = settings_in(tmp_path / "new", live=True, yes_live=True)
    assert code == 0, terminal.shown
    assert (settings.whatsapp.waba_id, settings.service.port) == ("1112223334", 3111)
    assert settings.storage.kind == "postgresql"
    assert settings.webhook.app_secret.current == QUESTIONS["App secret"]
    assert settings.destinations[0].secret.current.startswith("whsec_")
    assert stat.S_IMODE((tmp_path / "new" / ".env.local").stat().st_mode) == 0o600
    assert [secret for secret in HIDDEN if secret in terminal.shown] == []


def test_a_wrong_answer_is_asked_for_again_and_an_interruption_leaves_nothing(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.read_until("Account id: ")
    terminal.type("0000\n")
    terminal.read_until("1 to 20 digits are needed")
    terminal.type("\x03")
    code = terminal.process.wait(DEADLINE_SECONDS)

    assert code == 1
    assert not (tmp_path / "new").exists()


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    refused = CliRunner().invoke(wats, ["setup", str(tmp_path / "new")], input="1\n2\n")

    assert refused.exit_code == 2
    assert "not a terminal" in refused.stderr
    assert "Account id" not in refused.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("database", ["", "postgresql://u@h/d"])
@pytest.mark.parametrize("url", ["", 'http://h/a"b'])
def test_every_combination_of_answers_loads_in_both_modes(database: str, url: str, tmp_path: Path) -> None:
    for name, text in files_of(Answers("12", "34", "EAA$x", "0123456789abcdef", 80, database, url)).items():
        (tmp_path / name).write_text(text)

    live, dry_run = settings_in(tmp_path, live=True, yes_live=True), settings_in(tmp_path, dry_run=True)

    assert [destination.url for destination in live.destinations] == ([url] if url else [])
    assert live.storage.kind == ("postgresql" if database else "sqlite")
    assert dry_run.whatsapp == live.whatsapp


def onboarding(*arguments: str):
    config = str(ROOT / "config" / "wats.config.yaml")
    return CliRunner().invoke(wats, ["onboarding", "--config", config, "--public-url", *arguments])


def test_onboarding_says_what_meta_is_to_be_given() -> None:
    told, as_json = onboarding("https://wats.example.com/"), json.loads(onboarding("https://h/x", "--json").stdout)

    assert "https://wats.example.com/webhooks/whatsapp\n" in told.stdout
    assert set(re.findall(r"WATS_[A-Z_]+", told.stdout)) == {
        *("WATS_VERIFY_TOKEN", "WATS_APP_SECRET", "WATS_ACCESS_TOKEN")
    }
    assert as_json["callbackUrl"] == "https://h/x/webhooks/whatsapp"
    assert as_json["fields"] == list(FIELDS)


@pytest.mark.parametrize(
    "url",
    ["http://h", "https://u:planted@h", "https://h/?planted", "https://h#planted", "https://localhost", "planted"],
)
def test_a_url_that_meta_cannot_call_is_refused_without_being_printed(url: str) -> None:
    refused = onboarding(url)

    assert refused.exit_code == 2
    assert "planted" not in refused.stderr


def test_the_way_with_meta_goes_as_the_page_tells_it(tmp_path: Path) -> None:
    for name, text in files_of(Answers("12", "34", "EAA$x", "0123456789abcdef", 80, "", "")).items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    section = (ROOT / "docs" / "first-hour.md").read_text().partition("## With Meta: the files")[2]
    commands = re.findall(r"^wats (.*)$", section, re.MULTILINE)
    by_hand = [command for command in commands if re.match("setup|serve --live|doctor --live", command)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "WATS_ENV_FILE": str(tmp_path / ".env.local")}

    told = {command: wats_in(tmp_path, command, environ) for command in commands if command not in by_hand}

    assert len(by_hand) == 3
    assert {command: code for command, (code, _) in told.items()} == {
        "doctor": 0,
        "onboarding --public-url https://wats.example.com": 0,
        "events list": 1,
        "status": 1,
    }
    assert all("no service answers" in printed for code, printed in told.values() if code)


def wats_in(folder: Path, command: str, environ: dict[str, str]) -> tuple[int, str]:
    """Run `wats …` in a folder; return its exit code and what it printed."""
    program = [sys.executable, str(ROOT / "deploy" / "wats"), *command.split()]
    done = subprocess.run(program, cwd=folder, env=environ, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    return done.returncode, done.stdout + done.stderr
