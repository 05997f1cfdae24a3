"""Ask before an action that cannot be undone or that changes much. Without a terminal only `--yes` confirms it."""

import sys

import click

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool = False) -> None:
    """Return if the answer is yes, or was given before; else end the command with code 1."""
    if not yes:
        require_terminal()
        click.confirm(question, abort=True, err=True)


def require_terminal() -> None:
    """Raise `UsageError` where no person can answer."""
    if not sys.stdin.isatty():
        raise click.UsageError("Standard input is not a terminal: confirm with --yes.")
