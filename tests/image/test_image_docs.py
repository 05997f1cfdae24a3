"""The commands of docs/deploy/docker.md and compose.md as they stand: only image, port, volume and project differ."""

import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.house.test_house_deploy import BLOCK, NEEDS
from tests.image.engine import BUILD_SECONDS, ENGINE, LIVE, POLL_SECONDS, Image, ended, engine
from tests.image.test_image_compose import needs_compose
from tests.support.serving import ROOT, free_port
from tests.support.waiting import wait_for

SECRETS = {
    **{name: value for name, value in LIVE.items() if name != "WATS_MODE"},
    "WATS_WABA_ID": "1234567890",
    "WATS_PHONE_NUMBER_ID": "9876543210",
    "WATS_POSTGRES_PASSWORD": "letters4and7digits",
}
NEEDS_DOCKER = "*Needs Docker, but no account:*"
NEEDS_A_SHAPE = "*Needs one of the shapes to run, and openssl:*"


class Shell:
    """Runs commands of a page in a folder. `docker` is the engine of these tests."""

    def __init__(self, folder: Path, image: Image, more: dict[str, str]) -> None:
        self.folder, self.image, self.port = folder, image, free_port()
        self.volume = f"wats-test-{uuid.uuid4().hex[:12]}"
        programs = folder / "bin"
        programs.mkdir()
        (programs / "docker").symlink_to(shutil.which(ENGINE) or ENGINE)
        self.environ = {**os.environ, **more, "PATH": f"{programs}:{os.environ['PATH']}", "DOCKER_BUILDKIT": "1"}

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command with the names of this test in it."""
        command = command.replace("127.0.0.1:3000", f"127.0.0.1:{self.port}").replace("wats-data", self.volume)
        if command.startswith(("docker run", "docker build")):
            command = re.sub(r"(?<= )wats(?= |$)", self.image.name, command, count=1)
        return subprocess.Popen(
            ["sh", "-c", f"exec {command}" if command.startswith("docker run") else command],
            cwd=ROOT if command.startswith("docker build") else self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, command: str) -> str:
        """Run it to its end; return what it printed."""
        process = self.start(command)
        output, _ = process.communicate(timeout=BUILD_SECONDS)
        assert process.returncode == 0, output
        return output

    def wait_until_ready(self) -> None:
        def is_ready() -> bool:
            with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{self.port}/readyz"):
                return True
            return False

        wait_for(is_ready, sleep=lambda _: time.sleep(POLL_SECONDS))


def commands_of(page: str, *needs: str) -> list[str]:
    """Return the commands of a page in the blocks that need nothing else than these lines say."""
    blocks = BLOCK.finditer((ROOT / "docs" / "deploy" / page).read_text())
    texts = [each["commands"] for each in blocks if not NEEDS.match(each["before"] or "") or each["before"] in needs]
    return [line for text in texts for line in text.replace("\\\n", "").splitlines() if line.strip()]


@pytest.fixture
def shell(image: Image, tmp_path: Path) -> Iterator[Shell]:
    """A folder with what the pages tell to write: a config, the secrets, and Compose's files beside them."""
    for name in ("compose.yaml", "config/wats.config.yaml", "deploy/compose/nginx.conf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "config" / "wats.config.yaml", tmp_path)
    variables = "".join(f"{name}={value}\n" for name, value in SECRETS.items())
    (tmp_path / ".env").write_text(variables)
    (tmp_path / "secrets.env").write_text(f"{variables}WATS_DATABASE_URL=sqlite:////var/lib/wats/wats.sqlite3\n")
    project = f"wats-test-{uuid.uuid4().hex[:8]}"
    shell = Shell(tmp_path, image, {"WATS_IMAGE": image.name, "COMPOSE_PROJECT_NAME": project})
    shell.environ |= {"WATS_PUBLISHED_PORT": str(shell.port), "WATS_APP_SECRET": SECRETS["WATS_APP_SECRET"]}
    yield shell
    ended("volume", "rm", "--force", shell.volume)


def test_the_commands_for_docker_do_what_the_page_says(shell: Shell) -> None:
    build, dry_run, live, status = commands_of("docker.md")

    shell.run(build)
    trying = shell.start(dry_run)
    shell.wait_until_ready()
    trying.send_signal(signal.SIGTERM)
    printed, _ = trying.communicate(timeout=BUILD_SECONDS)
    container = shell.run(live).strip()
    shell.wait_until_ready()
    logs = engine("logs", container)
    stopped = shell.run(f"docker stop -t 30 {container}")
    code = engine("inspect", "--format", "{{.State.ExitCode}}", container).strip()
    ended("rm", "--force", container)

    assert (trying.returncode, '"mode": "dry-run"' in printed) == (0, True), printed
    assert '"mode": "live"' in logs
    assert (stopped.strip(), code) == (container, "0")
    assert shell.run(status).startswith("schema ")


@needs_compose
@pytest.mark.skipif(None in map(shutil.which, ("curl", "openssl")), reason="needs curl and openssl")
def test_the_commands_for_the_single_shape_do_what_the_page_says(shell: Shell) -> None:
    build, check, up, logs, down, *trying = commands_of("compose.md", NEEDS_DOCKER, NEEDS_A_SHAPE)
    webhook = "\n".join(trying[: trying.index("docker compose exec wats wats receipts list")])

    for command in (build, check, up):
        shell.run(command)
    try:
        shell.wait_until_ready()

        assert shell.run(webhook).strip() == '{"status":"accepted"}'
        assert "split" in shell.run("docker compose exec -T wats wats receipts list")
        assert "serve.listening" in shell.run(logs.removesuffix(" -f"))
    finally:
        shell.run(f"{down} --volumes --timeout 30")
