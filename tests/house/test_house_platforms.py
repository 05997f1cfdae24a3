"""The files that platforms read agree with the code: commands, ports, probes, time for a stop, no secret in them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from flask import Flask

from app.config.start_options import GRACE_SECONDS, PLATFORM_PORT
from tests.support.commands import read_command
from tests.support.descriptors import Process, every_process, read_yaml
from tests.support.serving import ROOT

PROCESSES = every_process()
SCHEMAS = Path(__file__).parent.parent / "deploy" / "schemas"
CHECKED = [
    ("railway.json", "railway"),
    ("fly.toml", "fly"),
    ("render.yaml", "render"),
    ("deploy/cloudrun/service.yaml", "cloudrun"),
    ("deploy/cloudrun/worker.yaml", "cloudrun"),
    ("deploy/cloudrun/migrate.yaml", "cloudrun"),
]
SECRETS = ("TOKEN", "SECRET", "PASSWORD", "DATABASE_URL")
PROBES = {"/healthz", "/health", "/readyz", "/ready"}


def options_of(process: Process) -> dict[str, Any]:
    """Return the options of a process's command, as click reads them."""
    return read_command(process.command[process.command.index("wats") + 1 :]).params


def parsed(file: str) -> Any:
    text = (ROOT / file).read_text()
    if file.endswith(".json"):
        return json.loads(text)
    return tomllib.loads(text) if file.endswith(".toml") else yaml.safe_load(text)


@pytest.mark.parametrize(("file", "schema"), CHECKED)
def test_a_file_has_only_keys_that_its_platform_knows(file: str, schema: str) -> None:
    validator = jsonschema.Draft202012Validator(yaml.safe_load((SCHEMAS / f"{schema}.yaml").read_text()))

    assert [error.message for error in validator.iter_errors(parsed(file))] == []


@pytest.mark.parametrize("schema", sorted({schema for _, schema in CHECKED}))
def test_a_misspelt_key_is_found(schema: str) -> None:
    file = parsed(next(file for file, its in CHECKED if its == schema))
    validator = jsonschema.Draft202012Validator(yaml.safe_load((SCHEMAS / f"{schema}.yaml").read_text()))

    assert [*validator.iter_errors({**file, "misspelt": 1})]
    assert not [*validator.iter_errors(file)]


TRAPS = [
    ("railway", ("deploy", "drainingSeconds"), "30"),
    ("fly", ("http_service", "auto_stop_machines"), False),
    ("fly", ("env", "WATS_YES_LIVE"), 1),
    ("render", ("services", 1, "healthCheckPath"), "/readyz"),
    ("render", ("envVarGroups", 0, "envVars", 0), {"key": "WATS_APP_SECRET", "sync": False}),
    ("cloudrun", ("spec", "template", "metadata", "annotations", "autoscaling.knative.dev/minScale"), 1),
    ("cloudrun", ("spec", "template", "spec", "containers", 0, "env", 0, "value"), 1),
]
"""What a platform refuses, or would understand otherwise: the schema, the key, the value."""


@pytest.mark.parametrize(("schema", "path", "value"), TRAPS)
def test_a_value_that_a_platform_would_refuse_is_found(
    schema: str, path: tuple[str | int, ...], value: object
) -> None:
    *parents, key = path
    file = parsed(next(file for file, its in CHECKED if its == schema))
    parent = file
    for each in parents:
        parent = parent[each]
    parent[key] = value
    validator = jsonschema.Draft202012Validator(yaml.safe_load((SCHEMAS / f"{schema}.yaml").read_text()))

    assert [*validator.iter_errors(file)]


@pytest.mark.parametrize("process", PROCESSES, ids=str)
def test_a_platform_starts_a_command_that_there_is(process: Process) -> None:
    assert "config" in options_of(process)


@pytest.mark.parametrize(
    "process", [each for each in PROCESSES if "serve" in each.command and each.name != "wats.service"], ids=str
)
def test_a_web_process_listens_where_the_platform_sends_requests(process: Process) -> None:
    options = options_of(process)

    assert options["paas"] or (options["host"], options["port"]) == ("0.0.0.0", process.port)


@pytest.mark.parametrize("process", [each for each in PROCESSES if each.probes], ids=str)
def test_a_platform_asks_a_probe_that_there_is(app: Flask, process: Process) -> None:
    assert set(process.probes) <= PROBES <= {rule.rule for rule in app.url_map.iter_rules()}
    assert {"/readyz", "/ready"} & set(process.probes)
    assert "cloudrun" not in process.file or not any(path.endswith("z") for path in process.probes)


@pytest.mark.parametrize("process", [each for each in PROCESSES if each.patience], ids=str)
def test_a_stop_ends_before_the_platform_kills(process: Process) -> None:
    grace = int(process.environ.get(GRACE_SECONDS.variable, GRACE_SECONDS.default))

    assert process.patience is not None
    assert grace < process.patience


@pytest.mark.parametrize("file", sorted({process.file for process in PROCESSES} - {"railway.json"}))
def test_every_process_of_a_file_goes_live_by_two_yeses(file: str) -> None:
    for process in PROCESSES:
        if process.file == file:
            assert process.environ["WATS_MODE"] == "live"
            assert process.environ["WATS_YES_LIVE"] in ("1", "${WATS_YES_LIVE:?set it to 1, the second yes to live}")


@pytest.mark.parametrize("process", PROCESSES, ids=str)
def test_no_file_holds_a_secret(process: Process) -> None:
    held = {
        name: value
        for name, value in process.environ.items()
        if any(word in name for word in SECRETS) and not name.endswith("_FILE") and value
    }

    assert PLATFORM_PORT.variable not in process.environ
    assert [name for name, value in held.items() if "${" not in value and not value.startswith("sqlite:")] == []


@pytest.mark.parametrize("directory", ["railway.json", "fly.toml", "render.yaml", "deploy/kubernetes"])
def test_every_release_upgrades_the_schema_once(directory: str) -> None:
    commands = [process.command for process in PROCESSES if process.file.startswith(directory)]

    assert commands.count(["wats", "db", "upgrade"]) == 1


def test_nothing_falls_asleep() -> None:
    fly = parsed("fly.toml")
    [service] = read_yaml("deploy/cloudrun/service.yaml")
    annotations = service["spec"]["template"]["metadata"]["annotations"]

    assert parsed("railway.json")["deploy"]["sleepApplication"] is False
    assert fly["http_service"]["auto_stop_machines"] == "off"
    assert fly["kill_signal"] == "SIGTERM"
    assert {rule["policy"] for rule in fly["restart"]} == {"always"}
    assert annotations["autoscaling.knative.dev/minScale"] == "1"
    assert annotations["run.googleapis.com/cpu-throttling"] == "false"
    assert "free" not in {service["plan"] for service in parsed("render.yaml")["services"]}
