"""`webhook`: what Meta's side of the door needs."""

import secrets

import click

PREFIX = "wats_wh_"
RANDOM_BYTES = 32


@click.group("webhook")
def webhook_group() -> None:
    """The webhook's credentials."""


@webhook_group.command("token")
def token() -> None:
    """Print one fresh random token, good as a verify token, a service token or a destination's secret."""
    click.echo(PREFIX + secrets.token_urlsafe(RANDOM_BYTES))
