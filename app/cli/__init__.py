"""The command line: `flask wats …`. Results go to standard output, messages to standard error.

Exit codes: 0 done, 1 failed or checked with a negative result, 2 usage, 78 configuration. An expected failure prints
no stack trace. Importing this package imports no command, and so neither SQLAlchemy nor flask-smorest.
"""

import importlib
import re
from typing import Any

import click

from app.cli.tables import escape_for_terminal
from app.config import ConfigError
from app.domain import VERSION

COMMANDS = {
    "config": "app.cli.config:config_group",
    "consumers": "app.cli.consumers:consumers_group",
    "contacts": "app.cli.contacts:contacts_group",
    "conversations": "app.cli.conversations:conversations_group",
    "db": "app.cli.db:db_group",
    "deliveries": "app.cli.deliveries:deliveries_group",
    "destinations": "app.cli.destinations:destinations_group",
    "doctor": "app.cli.doctor.command:doctor_command",
    "events": "app.cli.events:events_group",
    "init": "app.cli.init:init_command",
    "listen": "app.cli.listen:listen_command",
    "media": "app.cli.media:media_group",
    "messages": "app.cli.messages:messages_group",
    "onboarding": "app.cli.onboarding:onboarding_command",
    "openapi": "app.cli.openapi:openapi_command",
    "receipts": "app.cli.receipts:receipts_group",
    "runbook": "app.cli.runbook:runbook_command",
    "sending": "app.cli.sending:sending_group",
    "serve": "app.cli.serve:serve_command",
    "setup": "app.cli.setup:setup_command",
    "simulate": "app.cli.simulate:simulate_command",
    "status": "app.cli.status:status_command",
    "webhook": "app.cli.webhook:webhook_group",
    "worker": "app.cli.worker:worker_command",
}
"""The module and attribute of each command, imported when the command is used or listed."""

EXIT_CONFIGURATION = 78
MIN_SECRET_LENGTH = 8


class CommandFailed(click.ClickException):
    """An expected failure: a line on standard error, exit code 1. The message may quote text from outside."""

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        click.echo(f"error: {escape_for_terminal(self.message)}", err=True)


class Misconfigured(click.ClickException):
    """An invalid configuration: a line on standard error for each problem, exit code 78."""

    exit_code = EXIT_CONFIGURATION

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        click.echo(self.message, err=True)


class WatsGroup(click.Group):
    """Imports commands when they are used, and turns every expected failure into a message and an exit code."""

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
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            own_words = error.ctx.command_path.split() if error.ctx else []
            typed = [arg for arg in ctx.meta["wats.args"] if arg not in own_words]
            message = mask_values(error.format_message(), typed)
            raise click.UsageError(message, error.ctx) from error


def mask_values(message: str, args: list[str]) -> str:
    """Return a usage error without the typed values: one of them may be a secret."""
    for arg in args:
        value = arg.partition("=")[2] if arg.startswith("-") else arg
        if len(value) >= MIN_SECRET_LENGTH:
            message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", message)
    return message


@click.group(cls=WatsGroup)
@click.version_option(VERSION, prog_name="wats", message="%(prog)s %(version)s", help="Print the version and exit.")
def wats() -> None:
    """A self-hosted gateway to the WhatsApp Business Platform."""
