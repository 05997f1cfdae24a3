"""`webhook`: generate the webhook's credentials."""

import secrets

import click

PREFIX = "wats_wh_"
RANDOM_BYTES = 32


@click.group("webhook")
def webhook_group() -> None:
    """Generate credentials."""


@webhook_group.command("token")
def token() -> None:
    """Print a new random token, for use as a verify token, a service token or a destination's secret."""
    click.echo(PREFIX + secrets.token_urlsafe(RANDOM_BYTES))
