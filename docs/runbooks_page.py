"""The page of the alerts, docs/runbooks.md, from the runbooks in app/health/runbook.py."""

from collections.abc import Iterator

from app.health.runbook import OF_GATEWAY, OF_PROMETHEUS, Runbook

INTRODUCTION = """Each is listed under `attention` in `GET /status`, in `flask wats status` (exit code 1) and in the
metric `wats_attention{alert, subject}`, with its cause, since when, and its cure. The log has a line `alert.opened`
within a minute after it began, and a line `alert.closed` after it went away, which it does by itself when it is
cured. One alert is told from another by its `code` and its `subject`.

`flask wats runbook CODE` prints a section of this page, and the gateway serves all of it at `GET /runbooks`."""


def runbooks_page() -> str:
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Alerts, and what to do"
    yield ""
    yield "Generated from the code by `make docs`."
    yield ""
    yield INTRODUCTION
    for runbook in OF_GATEWAY:
        yield from _section(runbook)
    yield "\n# What only Prometheus can tell\n"
    yield "Rules of `deploy/prometheus/wats.rules.yml`, beside one for each alert above."
    for runbook in OF_PROMETHEUS:
        yield from _section(runbook)


def _section(runbook: Runbook) -> Iterator[str]:
    yield f"\n## {runbook.name}\n"
    yield runbook.meaning
    yield ""
    for name, fact in runbook.facts:
        yield f"- {name}: {fact}"
