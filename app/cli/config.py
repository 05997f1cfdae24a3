"""`config`: look at the config file, without a mode, a secret or a database."""

from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import as_json_option, click_option, config_options
from app.cli.tables import print_json, print_rows
from app.config import ConfigError, Flags, check_config, explain_config
from app.config.start_options import CONFIG


@click.group("config")
def config_group() -> None:
    """The config file: check it, or show it without its secrets."""


@config_group.command("validate")
@click_option(CONFIG)
@as_json_option
def validate(config: Path | None, as_json: bool) -> None:
    """Check every profile of the file and print all problems with their paths; exit code 78 if there are any."""
    try:
        checked = check_config(Flags(config=config))
    except ConfigError as error:
        if as_json:
            problems = [asdict(problem) for problem in error.problems]
            print_json({"valid": False, "problems": problems})
        raise
    if as_json:
        print_json({"valid": True, "config": str(checked.path), "profiles": checked.profiles})
    else:
        click.echo(f"{checked.path} is valid; profiles: {', '.join(checked.profiles)}")


@config_group.command("show")
@config_options
@as_json_option
def show(flags: Flags, as_json: bool) -> None:
    """Print a profile with its defaults: path, value, source. A secret is only `set` or `unset`."""
    print_rows([asdict(row) for row in explain_config(flags)], as_json=as_json)
