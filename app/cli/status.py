"""`status`: show the state of a running service; the exit code says whether it needs attention."""

from typing import Any

import click

from app.cli.client import Client, Unreachable
from app.cli.options import as_json_option, client_options
from app.cli.tables import escape_for_terminal, print_json, print_record, print_table
from app.cli.times import for_people, times_for_people
from app.config import ApiAccess

OK = "ok"
TABLES = {
    "queues": ("queue", "waiting", "inFlight", "oldestSeconds"),
    "destinations": (
        "name",
        "state",
        "waiting",
        "dead",
        "oldestUndeliveredAt",
        "pausedAt",
        "lastSuccessAt",
        "lastErrorAt",
        "lastError",
    ),
    "workers": ("process", "version", "startedAt", "lastBeatAt", "fresh"),
}


@click.command("status")
@client_options
@as_json_option
def status_command(access: ApiAccess, as_json: bool) -> None:
    """Show the state of a running service. Exit code 1: something needs attention.

    `flask wats runbook CODE` says what an alert means and what to do.
    """
    client = Client(access)
    checks = client.readiness()["checks"]
    status = _status(client)
    if as_json:
        print_json({"checks": checks, **status})
    else:
        _print_for_people(status)
    alerts = [_sentence(alert) for alert in status["attention"]] if status else _failed(checks)
    if alerts:
        click.echo(
            "\n".join(["needs attention:", *(f"- {escape_for_terminal(alert)}" for alert in alerts)]), err=True
        )
        raise SystemExit(1)


def _failed(checks: dict[str, str]) -> list[str]:
    return [f"not ready: {name}: {result}" for name, result in checks.items() if result != OK]


def _sentence(alert: dict[str, Any]) -> str:
    """Return cause and cure, and since when there is the alert, if that is known."""
    since = alert.get("since")
    return times_for_people(str(alert["message"])) + (f" (since {for_people(since)})" if since else "")


def _status(client: Client) -> dict[str, Any]:
    """Return the answer of `/status`; nothing while the store is unavailable, which the checks report."""
    try:
        return client.get_outside_api("/status")
    except Unreachable:
        return {}


def _print_for_people(status: dict[str, Any]) -> None:
    fields = {
        f"{name}.{key}" if key else name: value
        for name, group in status.items()
        if name not in TABLES and name != "attention"
        for key, value in (group.items() if isinstance(group, dict) else [("", group)])
    }
    print_record(fields)
    for name, columns in TABLES.items():
        if status.get(name):
            click.echo(f"\n{name}")
            print_table(status[name], columns)
