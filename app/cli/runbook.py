"""`runbook`: print what an alert means and what to do. It needs no service and no config."""

import textwrap
from difflib import get_close_matches

import click

from app.cli import CommandFailed
from app.cli.tables import print_table
from app.health.runbook import RUNBOOKS, anchor_of

WIDTH = 100


@click.command("runbook")
@click.argument("code", required=False)
def runbook_command(code: str | None) -> None:
    """Print what the alert CODE means and what to do; without CODE, list all alerts.

    `flask wats status` lists the current alerts. CODE may also be the name of a rule in deploy/prometheus.
    """
    if code is None:
        rows = [{"code": each.name, "meaning": textwrap.shorten(each.meaning, WIDTH)} for each in RUNBOOKS.values()]
        print_table(rows, ("code", "meaning"))
        return
    runbook = RUNBOOKS.get(anchor_of(code))
    if runbook is None:
        near = get_close_matches(anchor_of(code), RUNBOOKS, n=1)
        hint = f"did you mean {near[0]}?" if near else "`flask wats runbook` lists all codes"
        raise CommandFailed(f"no alert has this code; {hint}")
    for line in runbook.text():
        click.echo(textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False))
