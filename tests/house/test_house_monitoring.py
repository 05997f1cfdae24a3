"""Every alert, metric and error code has its entry in the docs, and deploy/prometheus names only what there is."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from app.health.alert_kinds import ALERT_KINDS
from app.web.errors import STATUS_OF
from tests.support.proxies import program
from tests.support.serving import ROOT
from tests.support.webhooks import bearer

DOCS, PROMETHEUS = ROOT / "docs", ROOT / "deploy" / "prometheus"
RULES_FILE = PROMETHEUS / "wats.rules.yml"
RULES = yaml.safe_load(RULES_FILE.read_text())["groups"][0]["rules"]
METRIC = re.compile(r"wats_[a-z_]+")
PARTS_OF_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


FAILING = next(rule for rule in RULES if rule["alert"] == "WatsFailing")
SUMMARY = FAILING["annotations"]["summary"].replace("{{ $labels.subject }}", "crm")


def failing_at(address: str, external: dict[str, str]) -> dict[str, Any]:
    """A test of promtool: a destination fails, and the page leads to the runbook at this address."""
    series = 'wats_attention{alert="failing",subject="crm",instance="wats:3000",job="wats"}'
    labels = {"severity": "page", "alert": "failing", "subject": "crm", "instance": "wats:3000", "job": "wats"}
    annotations = {"summary": SUMMARY, "runbook_url": f"{address}/runbooks#failing"}
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": "1+0x10"}],
        "external_labels": external,
        "alert_rule_test": [
            {
                "eval_time": "5m",
                "alertname": "WatsFailing",
                "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
            }
        ],
    }


RULES_TEST = {
    "tests": [
        failing_at("http://wats:3000", {}),
        failing_at("https://wats.example.com", {"wats_url": "https://wats.example.com"}),
    ]
}


def headings(page: str) -> set[str]:
    return set(re.findall(r"^## (\S+)$", (DOCS / page).read_text(), re.MULTILINE))


def entries(page: str) -> set[str]:
    """The first cells of the rows of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", (DOCS / page).read_text(), re.MULTILINE))


def names_in(expression: str) -> set[str]:
    return {PARTS_OF_HISTOGRAM.sub("", name) for name in METRIC.findall(expression)}


def test_every_alert_has_its_runbook() -> None:
    assert {kind.code for kind in ALERT_KINDS} - headings("runbooks.md") == set()
    assert len({kind.code for kind in ALERT_KINDS}) == len(ALERT_KINDS)


def test_every_error_code_has_its_entry() -> None:
    assert entries("errors.md") == set(STATUS_OF)


def test_every_metric_that_is_served_has_its_entry(client: FlaskClient) -> None:
    served = re.findall(r"^# TYPE (\S+) ", client.get("/metrics", headers=bearer()).text, re.MULTILINE)

    assert "wats_attention" in served
    assert {name for name in served if not name.endswith("_created")} - entries("metrics.md") == set()


def test_every_rule_leads_to_its_runbook_and_every_alert_has_a_rule(client: FlaskClient) -> None:
    sections = set(re.findall(r'<section id="([^"]+)">', client.get("/runbooks").text))
    leads_to = [rule["annotations"]["runbook_url"].partition("}}/runbooks#")[2] for rule in RULES]

    assert set(leads_to) == sections
    assert {kind.code for kind in ALERT_KINDS} - sections == set()
    assert {heading.lower() for heading in headings("runbooks.md")} == sections


def test_promtool_fills_in_the_address_of_the_runbook_and_the_subject(tmp_path: Path) -> None:
    promtool = program("promtool")
    if promtool is None:
        pytest.skip("no promtool here: .ci/programs gets it")
    (tmp_path / "test.yml").write_text(yaml.safe_dump({**RULES_TEST, "rule_files": [str(RULES_FILE)]}))

    checked = subprocess.run([promtool, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_rules_and_dashboard_ask_only_for_metrics_that_there_are() -> None:
    dashboard = json.loads((PROMETHEUS / "wats-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for text in [*queries, *(rule["expr"] for rule in RULES)] for name in names_in(text)}

    assert len(asked) > 10
    assert asked - entries("metrics.md") == set()


def test_each_disk_that_has_a_gauge_has_a_rule_that_tells_when_it_fills() -> None:
    disks = {name for name in entries("metrics.md") if name.endswith("disk_free_bytes")}

    assert len(disks) == 2
    assert disks - {name for rule in RULES for name in names_in(rule["expr"])} == set()


def test_the_rule_of_an_alert_with_a_subject_names_it() -> None:
    with_subject = {f'wats_attention{{alert="{kind.code}"}} > 0' for kind in ALERT_KINDS if kind.subject}
    naming = {rule["expr"] for rule in RULES if "{{ $labels.subject }}" in rule["annotations"]["summary"]}

    assert naming == with_subject


def test_promtool_takes_the_rules() -> None:
    promtool = program("promtool")
    if promtool is None:
        pytest.skip("no promtool here: .ci/programs gets it")

    checked = subprocess.run([promtool, "check", "rules", str(RULES_FILE)], capture_output=True, text=True)

    assert (checked.returncode, f"{len(RULES)} rules found" in checked.stdout) == (0, True), checked.stderr
