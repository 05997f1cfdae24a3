"""Every alert, metric and error code has its entry in the docs, and deploy/prometheus names only what there is."""

import json
import re
import subprocess

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


def test_every_rule_leads_to_its_runbook_and_every_alert_has_a_rule() -> None:
    anchors = {heading.lower() for heading in headings("runbooks.md")}
    runbooks = [rule["annotations"]["runbook_url"] for rule in RULES]

    assert [url for url in runbooks if url.removeprefix("docs/runbooks.md#") not in anchors] == []
    assert {f"docs/runbooks.md#{kind.code}" for kind in ALERT_KINDS} - set(runbooks) == set()


def test_rules_and_dashboard_ask_only_for_metrics_that_there_are() -> None:
    dashboard = json.loads((PROMETHEUS / "wats-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for text in [*queries, *(rule["expr"] for rule in RULES)] for name in names_in(text)}

    assert len(asked) > 10
    assert asked - entries("metrics.md") == set()


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
