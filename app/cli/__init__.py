"""The command line: `flask wats …`. Data on standard output, talk on standard error.

Exit codes: 0 done, 1 tried and it is not so, 2 usage, 78 configuration. No stack trace for an expected failure.
"""

import importlib
from typing import Any

import click

from app.cli.tables import escape_for_terminal
from app.config import ConfigError
from app.store import StoreUnavailable

COMMANDS = {
    "config": "app.cli.config:config_group",
    "contacts": "app.cli.contacts:contacts_group",
    "db": "app.cli.db:db_group",
    "deliveries": "app.cli.deliveries:deliveries_group",
    "destinations": "app.cli.destinations:destinations_group",
    "events": "app.cli.events:events_group",
    "init": "app.cli.init:init_command",
    "openapi": "app.cli.openapi:openapi_command",
    "receipts": "app.cli.receipts:receipts_group",
    "serve": "app.cli.serve:serve_command",
    "status": "app.cli.status:status_command",
    "webhook": "app.cli.webhook:webhook_group",
    "worker": "app.cli.worker:worker_command",
}
"""Where each command lives; a module is imported when its command is asked for."""

EXIT_CONFIGURATION = 78
MIN_SECRET_LENGTH = 8


class CommandFailed(click.ClickException):
    """It was tried, or checked, and is not so: said on standard error, exit code 1. It may quote what others said."""

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        click.echo("\n".join(map(escape_for_terminal, self.message.split("\n"))), err=True)


class Misconfigured(click.ClickException):
    """A wrong configuration: every problem on a line of its own, exit code 78."""

    exit_code = EXIT_CONFIGURATION

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        click.echo(self.message, err=True)


class WatsGroup(click.Group):
    """Finds commands when they are asked for, and turns every expected failure into a message and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["wats.args"] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise Misconfigured(str(error)) from error
        except StoreUnavailable as error:
            raise CommandFailed(f"the store cannot be used: {error} (see storage.url, WATS_DATA_DIR)") from error
        except click.UsageError as error:
            message = without_values(error.format_message(), ctx.meta["wats.args"])
            raise click.UsageError(message, error.ctx) from error


def without_values(message: str, args: list[str]) -> str:
    """A usage error without what was typed where a secret may have been pasted."""
    for arg in args:
        value = arg.partition("=")[2] if arg.startswith("-") else arg
        if len(value) >= MIN_SECRET_LENGTH:
            message = message.replace(value, "…")
    return message


@click.group(cls=WatsGroup)
def wats() -> None:
    """A self-hosted gateway to the WhatsApp Business Platform."""
