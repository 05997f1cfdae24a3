"""Our commands, as click reads them."""

from collections.abc import Sequence

import click

from app.cli import wats


def read_command(arguments: Sequence[str]) -> click.Context:
    """Return the context of the command that these arguments of `wats` name; raise click's error if there is none."""
    context = wats.make_context("wats", list(arguments))
    while isinstance(context.command, click.Group):
        name, subcommand, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert subcommand is not None
        context = subcommand.make_context(name, rest, parent=context)
    return context
