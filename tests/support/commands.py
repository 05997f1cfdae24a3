"""Our commands: all of them loaded, run as `flask` runs them, or as click reads them."""

import json
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import main

from app.cli import COMMANDS, wats

for _module in COMMANDS.values():
    import_module(_module.partition(":")[0])


def flask() -> None:
    """Be the program `flask`, with the arguments of this process."""
    main()


def flask_serve() -> None:
    """Be the program `flask`; but write the program that this process would become to standard input, and end."""
    os.execve = _write_program  # type: ignore[assignment]
    main()


def _write_program(_path: str, argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    program = {"argv": list(argv), "environ": dict(environ), "folder": str(Path.cwd())}
    os.write(0, json.dumps(program).encode())
    os._exit(0)


def read_command(arguments: Sequence[str]) -> click.Context:
    """Return the context of the command that these arguments of `wats` name; raise click's error if there is none."""
    context = wats.make_context("wats", list(arguments))
    while isinstance(context.command, click.Group):
        name, subcommand, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert subcommand is not None
        context = subcommand.make_context(name, rest, parent=context)
    return context
