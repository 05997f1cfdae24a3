"""`webhook`: generate the webhook's credentials."""

import click

from app.cli.new_secrets import new_destination_secret, new_token


@click.group("webhook")
def webhook_group() -> None:
    """Generate credentials."""


@webhook_group.command("token")
@click.option("--destination", is_flag=True, help="A destination's secret (whsec_…), as Standard Webhooks wants it.")
def token(destination: bool) -> None:
    """Print a new random token, for use as a verify token or a service token, or a destination's secret."""
    click.echo(new_destination_secret() if destination else new_token())
