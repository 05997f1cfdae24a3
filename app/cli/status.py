"""`status`: how a running service is, and by the exit code whether it needs a human."""

from typing import Any

import click

from app.cli import CommandFailed
from app.cli.client import Client, Unreachable
from app.cli.options import as_json_option, client_options
from app.cli.tables import print_json, print_record, print_table
from app.config import ApiAccess

OK = "ok"
TABLES = {
    "queues": ("queue", "waiting", "inFlight", "oldestSeconds"),
    "destinations": ("name", "state", "waiting", "dead", "lastSuccessAt", "lastErrorAt", "lastError"),
    "workers": ("process", "version", "startedAt", "lastBeatAt", "fresh"),
}


@click.command("status")
@client_options
@as_json_option
def status_command(access: ApiAccess, as_json: bool) -> None:
    """Tell how the running service is. Exit code 1 when something needs a human.

    That is: it is not ready, no worker is alive, receipts wait for more than a minute or cannot be read, a
    destination is failing or disabled, or there are dead letters.
    """
    client = Client(access)
    checks = client.readiness()["checks"]
    status = _status(client)
    if as_json:
        print_json({"checks": checks, **status})
    else:
        _print_for_people(status)
    needs = [f"not ready: {name}: {answer}" for name, answer in checks.items() if answer != OK]
    needs += [alert["message"] for alert in status.get("attention", [])]
    if needs:
        raise CommandFailed("\n".join(["needs you:", *(f"- {each}" for each in needs)]))


def _status(client: Client) -> dict[str, Any]:
    """What `/status` says; nothing while the store is away, of which the checks tell."""
    try:
        return client.outside("/status")
    except Unreachable:
        return {}


def _print_for_people(status: dict[str, Any]) -> None:
    flat = {
        f"{name}.{inner}" if inner else name: value
        for name, group in status.items()
        if name not in TABLES and name != "attention"
        for inner, value in (group.items() if isinstance(group, dict) else [("", group)])
    }
    print_record(flat)
    for name, columns in TABLES.items():
        if status.get(name):
            click.echo(f"\n{name}")
            print_table(status[name], columns)
