"""`doctor`: the command."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from app.cli import CommandFailed
from app.cli.doctor import machine
from app.cli.doctor.database import database
from app.cli.doctor.finding import Finding, Level, fine
from app.cli.doctor.handshake import handshake_at
from app.cli.doctor.live import Visit
from app.cli.onboarding import read_public_url
from app.cli.options import as_json_option, check_options
from app.cli.progress import count_of
from app.cli.tables import escape_for_terminal, print_json, styled
from app.config import ConfigError, ConfigProblem, Flags, Settings, client_settings, dry_run_settings
from app.config.start_options import CONFIG, ENV_FILE, LIVE, PROFILE, YES_LIVE
from app.graph.client import GraphClient

MARKS = {Level.OK: ("ok", "green"), Level.WARNING: ("warning", "yellow"), Level.ERROR: ("error", "red")}
GATE = "yes_live_missing"


@click.command("doctor")
@check_options
@click.option(
    "--public-url",
    callback=read_public_url,
    metavar="URL",
    help="With --live: where Meta reaches the service, https://…",
)
@as_json_option
def doctor_command(flags: Flags, public_url: str | None, as_json: bool) -> None:
    """Check this machine and the config; with --live and --yes-live also Meta's side. Exit code 1 on an error.

    Each finding says what to do next, and where. Without --live no connection leaves for Meta, and a secret that is
    missing is a warning. With it, the token, the app, the account and each number are looked at, and Meta's handshake
    is performed with the public address. Nothing is changed at Meta.
    """
    findings = list(_findings(flags, public_url))
    errors = sum(finding.level is Level.ERROR for finding in findings)
    if as_json:
        print_json({"ok": errors == 0, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            _print(finding)
    if errors:
        raise CommandFailed(f"{count_of(errors, 'check')} failed")


def _findings(flags: Flags, public_url: str | None) -> Iterator[Finding]:
    is_live = bool(flags.get(LIVE))
    live, found = _live_settings(flags, is_live=is_live)
    yield from machine.runtime()
    yield from machine.problems(found, needs_secrets=is_live)
    settings = live or _dry_run_settings(flags)
    if settings is None:
        return
    if live is not None:
        yield fine("secrets", "all that live mode needs are given")
    yield from machine.config(settings, machine.missing_in(found))
    yield machine.graph_version(settings.graph.api_version, datetime.now(UTC))
    yield machine.routes(dry_run_settings(flags))
    yield from database(settings)
    if is_live and live is not None:
        yield from _at_meta(live, public_url)


def _live_settings(flags: Flags, *, is_live: bool) -> tuple[Settings | None, list[ConfigProblem]]:
    """Return the settings of live mode, or what is wrong with them. Raise `ConfigError` where a yes is missing."""
    asked = Flags(
        **_named(flags),
        env_file=flags.get(ENV_FILE),
        live=True,
        yes_live=flags.get(YES_LIVE) if is_live else True,
        listens=False,
    )
    try:
        return client_settings(asked, checks_export=True), []
    except ConfigError as failure:
        gates = [problem for problem in failure.problems if problem.code == GATE]
        if gates:
            raise ConfigError(gates) from failure
        return None, list(failure.problems)


def _dry_run_settings(flags: Flags) -> Settings | None:
    try:
        return client_settings(Flags(**_named(flags), dry_run=True, listens=False))
    except ConfigError:
        return None


def _named(flags: Flags) -> dict[str, Any]:
    return {"config": flags.get(CONFIG), "profile": flags.get(PROFILE)}


def _at_meta(settings: Settings, public_url: str | None) -> Iterator[Finding]:
    graph, token = settings.graph, settings.access_token
    assert token is not None, "a live profile has an access token"

    def client_with(token: str) -> GraphClient:
        now = partial(datetime.now, UTC)
        return GraphClient(graph.base_url, graph.api_version, token, now, secrets=settings.secret_values)

    callback_url = None if public_url is None else public_url + settings.webhook.path
    visit = Visit(settings, client_with(token.current), client_with, datetime.now(UTC), callback_url)
    yield from visit.findings()
    yield from handshake_at(public_url or settings.service.public_url, settings)


def _print(finding: Finding) -> None:
    word, colour = MARKS[finding.level]
    click.echo(f"{styled(f'{word:<8}', colour)}{finding.check:<15} {escape_for_terminal(finding.message)}")
    if finding.cure:
        click.echo(f"{'':<24}→ {escape_for_terminal(finding.cure)}")
    sys.stdout.flush()
