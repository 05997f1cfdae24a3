"""The commands in the documents work as a reader types them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import COMMANDS
from tests.support.commands import read_command
from tests.support.serving import ROOT, Running, free_port, serving
from tests.support.tracing import inherited
from tests.support.waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.usefixtures("unmeasured")

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
CURL_IN_PYTHON = """#!{python}
import sys, urllib.request
headers, data, words = {{}}, None, iter(sys.argv[1:])
for word in words:
    if word == "-H":
        name, _, value = next(words).partition(": ")
        headers[name] = value
    elif word in ("-d", "--data-raw", "--data-binary"):
        data = next(words).encode()
    elif not word.startswith("-s"):
        url = word
print(urllib.request.urlopen(urllib.request.Request(url, data, headers)).read().decode())
"""


def commands_of(page: Path) -> list[str]:
    """Return every command in the page's shell blocks, with continued lines joined and without comments."""
    lines = "\n".join(BLOCK.findall(page.read_text())).replace("\\\n", " ").splitlines()
    return [command for line in lines if (command := re.sub(r"\s+#.*", "", line).strip())]


EVERY_COMMAND = [(page, command) for page in PAGES for command in commands_of(page)]
OURS = re.compile(rf"(?:flask wats|(?<![/\w])wats(?= (?:{'|'.join(COMMANDS)})\b)) (.*)")
WATS_COMMANDS = [(page.name, found[1]) for page, command in EVERY_COMMAND if (found := OURS.search(command))]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a service as `make run` does, on a port of its own."""
    folder = tmp_path_factory.mktemp("examples")
    if shutil.which("curl") is None:
        substitute = folder / "curl"
        substitute.write_text(CURL_IN_PYTHON.format(python=sys.executable))
        substitute.chmod(0o755)
    environ = {
        **inherited("HOME"),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "WATS_DATA_DIR": str(folder / "data"),
        "WATS_PORT": str(free_port()),
    }
    recipe = re.search(r"^run:.*\n\t\$\(BIN\)/flask wats serve (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    with serving(folder, *shlex.split(recipe[1]), environ=environ) as running:
        yield running


def output_of(command: str, served: Running) -> str:
    """Run a command in a shell in the repository; return its output."""
    command = command.replace(":3000", f":{served.port}").replace(".venv/bin", str(Path(sys.executable).parent))
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env=served.environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    return done.stdout


def test_the_webhook_that_a_dry_run_prints_is_accepted(served: Running) -> None:
    printed_command = json.loads(served.out.splitlines()[0])["try"]

    assert json.loads(output_of(printed_command, served)) == {"status": "accepted"}


def test_the_first_ten_minutes_go_as_described(served: Running) -> None:
    page = (ROOT / "docs" / "first-hour.md").read_text()
    section = page.partition("## Without Meta")[2].partition("\n## ")[0]
    commands = [
        line for block in BLOCK.findall(section) for line in block.splitlines() if line.startswith("flask wats")
    ]
    played = [command for command in commands if not re.search(r" (serve|listen) ", command)]

    outputs = [output_of(command.replace("flask", ".venv/bin/flask", 1), served) for command in played]

    assert len(outputs) == 5  # each has ended with 0


def test_the_operators_curl_command_for_readiness_works(served: Running) -> None:
    [readyz_by_curl] = re.findall(r"`(curl [^`]*readyz)`", (ROOT / "docs" / "operate.md").read_text())

    assert json.loads(output_of(readyz_by_curl, served))["ok"] is True


@pytest.mark.parametrize(("page", "command"), WATS_COMMANDS)
def test_every_wats_command_in_the_documents_exists(page: str, command: str) -> None:
    arguments = shlex.split(re.split(r"[)|>;&]", command)[0])

    assert read_command(arguments)


@pytest.mark.parametrize("command", [command for _, command in EVERY_COMMAND if command.startswith("make")])
def test_every_make_target_in_the_documents_exists(command: str) -> None:
    target = command.split()[1]

    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
