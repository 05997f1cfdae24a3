"""The page of the alerts, docs/runbooks.md, from the table in app/health/alert_kinds.py."""

from collections.abc import Iterator

from prometheus_files import RULES, Rule

from app.health.alert_kinds import ALERT_KINDS, AlertKind

URGENCY = {"page": "Now: customers notice, or soon will.", "ticket": "Today."}

INTRODUCTION = """Each stands under `attention` in `GET /status`, in `flask wats status` (exit code 1) and in the
metric `wats_attention{alert, subject}`, with its cause, since when, and its cure. The log has a line `alert.opened` within
a minute after it began, and a line `alert.closed` after it went away, which it does by itself when it is cured. One
alert is told from another by its `code` and its `subject`."""


def runbooks_page() -> str:
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Alerts, and what to do"
    yield ""
    yield "Generated from the code by `make docs`."
    yield ""
    yield INTRODUCTION
    for kind in ALERT_KINDS:
        yield from _section(kind)
    yield "\n# What only Prometheus can tell\n"
    yield "Rules of `deploy/prometheus/wats.rules.yml`, beside one for each alert above."
    for rule in RULES:
        yield from _section_of_rule(rule)


def _section(kind: AlertKind) -> Iterator[str]:
    yield f"\n## {kind.code}\n"
    yield kind.meaning
    yield ""
    yield f"- When: {URGENCY[kind.urgency.value]}"
    if kind.subject:
        yield f"- Subject: {kind.subject}."
    yield f"- What to do: {kind.steps}"


def _section_of_rule(rule: Rule) -> Iterator[str]:
    yield f"\n## {rule.name}\n"
    yield rule.summary
    yield ""
    yield f"- When: {URGENCY[rule.urgency]}"
    yield f"- Rule: `{rule.expression}`"
    yield f"- What to do: {rule.steps}"
