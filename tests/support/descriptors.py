"""What the files start that platforms read: Compose, Railway, Fly, Render, Cloud Run, Kubernetes, systemd.

Each process has its command, the variables that the file sets, and how long the platform waits before it kills.
"""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.support.serving import ROOT

CLOUD_RUN_PATIENCE = 10
RELEASE = "release"


@dataclass
class Process:
    """One process that a file starts. `patience`: seconds from the stop signal to the kill; None: it ends by itself.

    `port`: where the platform sends requests to, if the file says so; `probes`: the paths that it asks.
    """

    file: str
    name: str
    command: list[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    patience: int | None = None
    port: int | None = None
    probes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"


def read_yaml(file: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML file of the repository."""
    return list(yaml.safe_load_all((ROOT / file).read_text()))


def every_process() -> list[Process]:
    """Return the processes of every file."""
    return [*railway(), *fly(), *render(), *cloud_run(), *kubernetes(), *compose(), *systemd()]


def railway() -> Iterator[Process]:
    deploy = json.loads((ROOT / "railway.json").read_text())["deploy"]
    yield Process("railway.json", RELEASE, shlex.split(*deploy["preDeployCommand"]))
    yield Process(
        "railway.json",
        "web",
        shlex.split(deploy["startCommand"]),
        patience=deploy["drainingSeconds"],
        probes=(deploy["healthcheckPath"],),
    )


def fly() -> Iterator[Process]:
    file = tomllib.loads((ROOT / "fly.toml").read_text())
    service, environ = file["http_service"], file["env"]
    yield Process("fly.toml", RELEASE, shlex.split(file["deploy"]["release_command"]), environ)
    for name, command in file["processes"].items():
        process = Process("fly.toml", name, shlex.split(command), environ, file["kill_timeout"])
        if name in service["processes"]:
            process.port = service["internal_port"]
            process.probes = tuple(check["path"] for check in service["checks"])
        yield process


def render() -> Iterator[Process]:
    [file] = read_yaml("render.yaml")
    groups = {group["name"]: group["envVars"] for group in file["envVarGroups"]}
    for service in file["services"]:
        entries = [each for entry in service["envVars"] for each in groups.get(entry.get("fromGroup"), [entry])]
        environ = {entry["key"]: entry.get("value", "") for entry in entries}
        assert len(environ) == len(entries), "a variable is set twice"
        if "preDeployCommand" in service:
            yield Process("render.yaml", RELEASE, shlex.split(service["preDeployCommand"]), environ)
        yield Process(
            "render.yaml",
            service["name"],
            shlex.split(service["dockerCommand"]),
            environ,
            service["maxShutdownDelaySeconds"],
            probes=tuple(filter(None, [service.get("healthCheckPath")])),
        )


def cloud_run() -> Iterator[Process]:
    for name in ("service", "worker", "migrate"):
        [file] = read_yaml(f"deploy/cloudrun/{name}.yaml")
        spec = file["spec"]["template"]["spec"]
        spec = spec["template"]["spec"] if file["kind"] == "Job" else spec
        patience = None if file["kind"] == "Job" else CLOUD_RUN_PATIENCE
        yield from _containers(f"deploy/cloudrun/{name}.yaml", spec, patience)


def kubernetes() -> Iterator[Process]:
    for name in ("web", "worker", "migrate"):
        file, *_ = read_yaml(f"deploy/kubernetes/{name}.yaml")
        spec = file["spec"]["template"]["spec"]
        yield from _containers(f"deploy/kubernetes/{name}.yaml", spec, spec.get("terminationGracePeriodSeconds"))


def _containers(file: str, spec: Mapping[str, Any], patience: int | None) -> Iterator[Process]:
    for container in spec["containers"]:
        probes = [
            container.get(f"{kind}Probe", {}).get("httpGet", {}) for kind in ("startup", "readiness", "liveness")
        ]
        yield Process(
            file,
            container["name"],
            [*container["command"], *container.get("args", [])],
            {entry["name"]: entry.get("value", "") for entry in container["env"]},
            patience,
            port=container["ports"][0]["containerPort"] if "ports" in container else None,
            probes=tuple(probe["path"] for probe in probes if probe),
        )


def compose() -> Iterator[Process]:
    [file] = read_yaml("compose.yaml")
    [behind] = re.findall(r"http://web:(\d+)", (ROOT / "deploy" / "compose" / "nginx.conf").read_text())
    for name, service in file["services"].items():
        if "command" in service:
            published = service.get("ports", [behind])[0]
            yield Process(
                "compose.yaml",
                name,
                service["command"],
                service["environment"],
                int(service["stop_grace_period"].removesuffix("s")) if name != "migrate" else None,
                port=int(published.rpartition(":")[2]),
            )


def systemd() -> Iterator[Process]:
    text = (ROOT / "deploy" / "systemd" / "wats.service").read_text()
    [command] = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    [patience] = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    pairs = [pair for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE) for pair in shlex.split(line)]
    yield Process(
        "deploy/systemd/wats.service",
        "wats.service",
        shlex.split(command),
        dict(pair.split("=", 1) for pair in pairs),
        int(patience),
    )
