"""The Dockerfile and what is admitted into a build: the same commands as elsewhere, no secret, no privilege."""

import json
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from app.cli import COMMANDS

ROOT = Path(__file__).parent.parent.parent
HADOLINT = str(Path(sys.executable).parent / "hadolint")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ADMITTED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
SHIPPED = [
    *(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "app").rglob("*")
        if path.suffix in (".py", ".html", ".js")
    ),
    *("requirements.txt", "wsgi.py", "gunicorn.conf.py"),
    *("config/wats.config.yaml", "deploy/healthcheck.py", "deploy/wats"),
]
PLANTED = [
    *(".env", ".env.local", "id_rsa", "wats.sqlite3", "data/wats.sqlite3", ".git/config", "tests/conftest.py"),
    *(
        "config/.env.local",
        "config/prod.config.yaml",
        "config/deeper/wats.config.yaml",
        "config/wats.config.yaml.bak",
    ),
    *("app/.env", "app/config/secrets/prod.env", "app/key.pem", "app/web/docs_page/.env", "app/__pycache__/x.pyc"),
    *("deploy/key.pem", "deploy/kubernetes/secret.yaml"),
]


def is_admitted(path: str) -> bool:
    """Return whether a build sees a file. As Docker reads .dockerignore: the last line that matches decides."""
    admitted = True
    for line in filter(None, ADMITTED):
        pattern = re.escape(line.removeprefix("!")).replace(r"\*", "[^/]*")
        candidates = [path, *map(str, PurePosixPath(path).parents)]
        if any(re.fullmatch(pattern, candidate) for candidate in candidates if candidate != "."):
            admitted = line.startswith("!")
    return admitted


@pytest.mark.parametrize("path", PLANTED)
def test_a_file_that_lies_about_does_not_get_into_the_image(path: str) -> None:
    assert not is_admitted(path)


def test_everything_that_the_image_needs_is_admitted() -> None:
    assert [path for path in SHIPPED if not is_admitted(path)] == []


def test_no_line_admits_a_folder() -> None:
    named = [line.removeprefix("!") for line in ADMITTED if line.startswith("!")]

    assert [name for name in named if "**" in name] == []
    assert [name for name in named if not (name.endswith("/*.py") or (ROOT / name).is_file())] == []


def test_the_dockerfile_passes_its_linter() -> None:
    linted = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert linted.stdout + linted.stderr == ""
    assert linted.returncode == 0


def test_the_image_runs_what_the_readme_names_and_leaves_the_mode_to_the_environment() -> None:
    [command] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)

    assert json.loads(command) == ["wats", "serve"]
    assert "ENTRYPOINT" not in DOCKERFILE
    assert re.search(r"\bWATS_MODE=dry-run\b", DOCKERFILE)
    assert "flask wats serve" in (ROOT / "README.md").read_text()


def test_the_programs_that_the_image_adds_are_wats_and_commands_of_it() -> None:
    programs = re.findall(r"ln -s /app/deploy/wats /usr/local/bin/(\w+)", DOCKERFILE)

    assert programs[0] == "wats"
    assert set(programs[1:]) <= COMMANDS.keys()
    for line in (ROOT / "Procfile").read_text().splitlines():
        words = line.partition(": ")[2].removeprefix("exec ").split()
        assert words[0] == "gunicorn" or words[2] in programs


def test_every_program_of_ours_starts_with_sigterm_blocked() -> None:
    [programs] = re.findall(
        r"sed -i '1s\|\^#!\.\*\|#!/usr/bin/env -S --block-signal=TERM python3\|' \\\n +(.+) \\", DOCKERFILE
    )

    assert programs.split() == ["/app/deploy/wats", "/packages/bin/flask", "/packages/bin/gunicorn"]


def test_the_image_runs_as_an_unprivileged_user_without_secrets() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"^#\s*syntax=|--mount|<<|^ADD |^VOLUME", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"(TOKEN|SECRET|PASSWORD)\w*=", DOCKERFILE)


def test_the_list_of_packages_has_those_of_the_extra_as_optional_ones() -> None:
    printed = subprocess.run([ROOT / ".ci" / "sbom"], capture_output=True, text=True, check=True).stdout
    always, extra = (
        set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / file).read_text(), re.MULTILINE))
        for file in ("requirements.txt", "requirements-otel.txt")
    )

    scopes = [(each["name"], each["scope"]) for each in json.loads(printed)["components"]]

    assert "opentelemetry-sdk" in extra
    assert sorted(scopes) == sorted(
        [(name, "required") for name in always] + [(name, "optional") for name in extra - always]
    )
