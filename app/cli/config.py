"""`config`: look at the config file, without a mode, a secret or a database."""

from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import as_json_option, click_option, config_options
from app.cli.tables import print_json, print_rows
from app.cli.unmatched import unmatched_in
from app.config import ConfigError, Flags, check_config, explain_config
from app.config.start_options import CONFIG


@click.group("config")
def config_group() -> None:
    """The config file: check it, or show it without its secrets."""


@config_group.command("validate")
@click_option(CONFIG)
@as_json_option
def validate(config: Path | None, as_json: bool) -> None:
    """Check every profile of the file and print all problems with their paths; exit code 78 if there are any.

    A type or a number of a destination that matches nothing is reported too; it is no problem.
    """
    try:
        checked = check_config(Flags(config=config))
    except ConfigError as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            print_json({"valid": False, "problems": problems})
        raise
    warnings = [text for profile in checked.profiles.values() for text in unmatched_in(profile)]
    if as_json:
        names = list(checked.profiles)
        print_json({"valid": True, "config": str(checked.path), "profiles": names, "warnings": warnings})
        return
    click.echo(f"{checked.path} is valid; profiles: {', '.join(checked.profiles)}")
    for text in warnings:
        click.echo(f"warning: {text}", err=True)


@config_group.command("show")
@config_options
@as_json_option
def show(flags: Flags, as_json: bool) -> None:
    """Print a profile with its defaults: path, value, source. A secret is only `set` or `unset`."""
    print_rows([asdict(row) for row in explain_config(flags)], as_json=as_json)
