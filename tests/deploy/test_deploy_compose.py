"""compose.yaml: valid for Compose, hardened, and closed to the outside. No engine is needed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.descriptors import read_yaml
from tests.support.serving import ROOT

[FILE] = read_yaml("compose.yaml")
SERVICES: dict[str, Any] = FILE["services"]
OURS = [name for name, service in SERVICES.items() if "command" in service]
NEEDED = {f"WATS_{name}" for name in ("YES_LIVE", "WABA_ID", "PHONE_NUMBER_ID", "ACCESS_TOKEN", "VERIFY_TOKEN")} | {
    "WATS_APP_SECRET",
    "WATS_SERVICE_TOKEN",
}


def check(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_file_is_valid_for_compose() -> None:
    checked = check(ROOT / "compose.yaml")

    assert checked.returncode == 0, checked.stdout


def test_a_misspelt_key_is_found(tmp_path: Path) -> None:
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text((ROOT / "compose.yaml").read_text().replace("stop_grace_period", "stop_grace"))

    assert check(misspelt).returncode == 1


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_privilege_and_no_bound_is_missing(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit", "tmpfs", "stop_grace_period", "restart"} <= service.keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert re.fullmatch(r"(10001:10001|999:999)", service["user"])


@pytest.mark.parametrize("name", OURS)
def test_our_services_mount_the_config_read_only_and_need_every_secret(name: str) -> None:
    service = SERVICES[name]
    needed = {key for key, value in service["environment"].items() if f"${{{key}:?" in value}

    assert service["volumes"][0].endswith(":/app/config/wats.config.yaml:ro")
    assert needed == NEEDED


def test_ports_are_published_on_loopback_only_and_the_database_has_no_way_out() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert FILE["networks"]["database"] == {"internal": True}


def test_the_scaled_shape_starts_in_order() -> None:
    after = {
        (name, other, condition["condition"])
        for name, service in SERVICES.items()
        for other, condition in service.get("depends_on", {}).items()
    }

    assert after == {
        ("migrate", "postgres", "service_healthy"),
        ("web", "migrate", "service_completed_successfully"),
        ("worker", "migrate", "service_completed_successfully"),
        ("proxy", "web", "service_healthy"),
    }
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"wats"}
