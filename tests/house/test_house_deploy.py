"""docs/deploy: each command is run or read by a test, or the page says what it needs that no test has."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.commands import read_command
from tests.support.serving import ROOT

PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))
BLOCK = re.compile(r"(?:^(?P<before>[^\n]+)\n\n)? *```sh\n(?P<commands>.*?)```", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"^\*Needs [^*]+:\*$")
TESTED = re.compile(
    r"(flask wats|gunicorn wsgi:app|export WATS_|make |python -c|rm -f data/|cp wats-backup|pg_dump|pg_restore)"
)
"""What tests run (tests/deploy/test_deploy_backup.py, tests/serve) or read (test_house_examples.py)."""

IMAGE_TESTED = {"docker.md"}
"""`make image-test` runs what this page shows."""

COMPOSE_SHAPE = """
services:
  wats:
    image: wats:local
    command: [wats, serve, --config, /app/config/wats.config.yaml, --profile, prod, --host, 0.0.0.0, --port, "3000"]
    ports: ["127.0.0.1:3000:3000"]
    environment:
      WATS_ACCESS_TOKEN: ${WATS_ACCESS_TOKEN:?set outside repo}
      WATS_VERIFY_TOKEN: ${WATS_VERIFY_TOKEN:?set outside repo}
      WATS_APP_SECRET: ${WATS_APP_SECRET:?set outside repo}
      WATS_SERVICE_TOKEN: ${WATS_SERVICE_TOKEN:?set outside repo}
    volumes: ["./wats.config.yaml:/app/config/wats.config.yaml:ro"]
    read_only: true
    tmpfs: [/tmp]
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
"""
"""The shape in the guide that docs/deploy/README.md maps; the mode comes from the environment."""


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name not in IMAGE_TESTED], ids=lambda page: page.name
)
def test_a_command_is_tested_or_the_page_says_what_it_needs(page: Path) -> None:
    unnamed = [
        command
        for block in BLOCK.finditer(page.read_text())
        if not NEEDS.match(block["before"] or "")
        for command in map(str.strip, block["commands"].splitlines())
        if command and not TESTED.match(command)
    ]

    assert unnamed == []


def test_the_guides_compose_shape_names_a_command_and_a_port_that_there_are() -> None:
    service = yaml.safe_load(COMPOSE_SHAPE)["services"]["wats"]
    program, *arguments = service["command"]

    options = read_command(arguments).params

    assert program == "wats"
    assert (options["host"], options["port"], options["profile"]) == ("0.0.0.0", 3000, "prod")
    assert (options["live"], options["dry_run"]) == (False, False)
