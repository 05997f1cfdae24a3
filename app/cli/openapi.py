"""`openapi`: print the OpenAPI document, without a running service."""

import json
from pathlib import Path

import click

from app.cli import CommandFailed
from app.cli.options import config_options
from app.config import Flags, dry_run_settings
from app.factory import create_app
from app.web.openapi import openapi_document


@click.command("openapi")
@config_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write to this file, which must not exist, instead of standard output.",
)
def openapi_command(flags: Flags, out: Path | None) -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    document = json.dumps(openapi_document(create_app(dry_run_settings(flags))), indent=2) + "\n"
    if out is None:
        click.echo(document, nl=False)
        return
    try:
        with out.open("x") as file:
            file.write(document)
    except FileExistsError as error:
        raise CommandFailed(f"{out} exists and is not overwritten") from error
    except OSError as error:
        raise CommandFailed(f"{out} cannot be written") from error
