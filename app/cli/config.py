"""`config`: look at the config file, without a mode, a secret or a database."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import CONFIG_HELP, config_options
from app.cli.tables import print_table
from app.config import ConfigError, Flags, check_config, show_config


@click.group("config")
def config_group() -> None:
    """The config file: check it, or show it without its secrets."""


@config_group.command("validate")
@click.option("--config", type=click.Path(path_type=Path), help=CONFIG_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate(config: Path | None, as_json: bool) -> None:
    """Check every profile of the file, and tell all problems with their paths; exit code 78 if there are any."""
    try:
        checked = check_config(Flags(config=config))
    except ConfigError as error:
        if as_json:
            click.echo(json.dumps({"valid": False, "problems": [asdict(each) for each in error.problems]}, indent=2))
        raise
    if as_json:
        click.echo(json.dumps({"valid": True, "config": str(checked.path), "profiles": checked.profiles}, indent=2))
    else:
        click.echo(f"{checked.path} is fine; profiles: {', '.join(checked.profiles)}")


@config_group.command("show")
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(flags: Flags, as_json: bool) -> None:
    """Print a profile with its defaults: path, value, source. Of a secret only whether it is set."""
    rows = [asdict(row) for row in show_config(flags)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        print_table(rows, ("path", "value", "source"))
