"""The manifests of deploy/kubernetes: valid for Kubernetes, complete, without privileges. No cluster is needed."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.config import Flags, load_settings
from tests.support.descriptors import read_yaml
from tests.support.serving import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS = [manifest for file in KUSTOMIZATION["resources"] for manifest in read_yaml(f"deploy/kubernetes/{file}")]
WORKLOADS = [manifest for manifest in MANIFESTS if manifest["kind"] in ("Deployment", "Job")]
OLDEST, NEWEST = "1.30", "1.37"


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


def pod_of(workload: dict[str, Any]) -> Any:
    return workload["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=name_of)
def test_a_manifest_is_valid_for_kubernetes(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("path", [("spec", "replica"), ("spec", "template", "spec", "enableServiceLink")])
def test_a_misspelt_key_is_found(path: tuple[str, ...]) -> None:
    *parents, key = path
    manifest = next(each for each in read_yaml("deploy/kubernetes/web.yaml") if each["kind"] == "Deployment")
    parent = manifest
    for name in parents:
        parent = parent[name]
    parent[key] = 1

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, OLDEST, strict=True)


def test_every_manifest_is_in_the_kustomization() -> None:
    others = {"kustomization.yaml", *KUSTOMIZATION["configMapGenerator"][0]["files"]}

    assert {path.name for path in FOLDER.iterdir()} == {*KUSTOMIZATION["resources"], *others}


@pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)
def test_a_pod_fits_the_standard_restricted_and_reads_what_the_kustomization_makes(workload: dict[str, Any]) -> None:
    pod = pod_of(workload)
    [container] = pod["containers"]

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert container["image"] == KUSTOMIZATION["images"][0]["name"]
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}
    assert pod["volumes"][0]["configMap"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]


@pytest.mark.parametrize("component", ["web", "worker"])
def test_a_rollout_takes_no_pod_away_before_its_successor_is_ready(component: str) -> None:
    deployment, *others = read_yaml(f"deploy/kubernetes/{component}.yaml")
    budget = next(each for each in others if each["kind"] == "PodDisruptionBudget")

    assert deployment["spec"]["replicas"] > 1
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]


def test_the_config_of_the_pods_loads_and_names_the_secrets_that_the_page_asks_for() -> None:
    text = (FOLDER / "wats.config.yaml").read_text()
    environ = dict.fromkeys(re.findall(r"env: (\w+)", text), "1234567890-0123456789abcdef")
    environ |= {"WATS_WABA_ID": "1", "WATS_PHONE_NUMBER_ID": "2", "WATS_DATABASE_URL": "postgres://wats@db/wats"}

    settings = load_settings(Flags(config=FOLDER / "wats.config.yaml", live=True, yes_live=True), environ)

    assert settings.storage.kind == "postgresql"
    assert settings.warnings == ()
