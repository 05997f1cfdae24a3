"""Checks this machine: the runtime, the config, the secrets, the routes. It opens no connection."""

import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version

from app.cli.doctor.finding import Finding, error, fine, warning
from app.cli.unmatched import unmatched_of
from app.config import ConfigProblem, Settings
from app.domain import VERSION
from app.domain.meta.graph_versions import end_of, ends_soon
from app.startup.descriptors import NEEDED_DESCRIPTORS, raise_descriptor_limit, too_few_descriptors
from app.store.engine import sqlite

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
SHOWN_PACKAGES = ("gunicorn", "gevent", "flask", "sqlalchemy")
MISSING = "secret_missing"
CONFIGURE = "`flask wats config show` prints every key with its value; docs/configure.md describes them"
WHERE_SECRETS_ARE = "`flask wats onboarding` says where Meta shows each, and `flask wats setup` asks for them"


def runtime() -> Iterator[Finding]:
    """Look at Python, the packages, the limit of descriptors and the SQLite library."""
    packages = ", ".join(f"{name} {version(name)}" for name in SHOWN_PACKAGES)
    text = f"wats {VERSION}, Python {platform.python_version()}, {packages}"
    if sys.version_info[:2] > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        yield warning("runtime", text, f"Python {newest} is the newest that wats is tested with")
    else:
        yield fine("runtime", text)
    limit = raise_descriptor_limit()
    if limit < NEEDED_DESCRIPTORS:
        yield error("descriptors", *_parted(too_few_descriptors(limit)))
    yield sqlite_library(sqlite.driver().sqlite_version_info)


def sqlite_library(found: tuple[int, ...]) -> Finding:
    """Look at the version of SQLite: some can corrupt a database that two processes write."""
    name = f"SQLite {'.'.join(map(str, found))}"
    if sqlite.has_wal_reset_bug(found):
        message = f"{name} has the WAL-reset bug, so that the slower journal mode DELETE is used"
        return warning("sqlite", message, "install the package pysqlite3 (`make setup` does), or use PostgreSQL")
    return fine("sqlite", f"{name}, journal mode WAL")


def problems(found: list[ConfigProblem], *, needs_secrets: bool) -> Iterator[Finding]:
    """Report each problem of the config and the environment. A missing secret stops only live mode from starting."""
    missing = missing_in(found)
    for problem in found:
        if problem.code != MISSING:
            what, cure = _parted(problem.message)
            yield error("config", str(replace(problem, message=what)), cure or CONFIGURE)
        elif needs_secrets:
            yield error("secrets", str(problem), WHERE_SECRETS_ARE)
    if missing and not needs_secrets:
        skipped = f"not checked in a dry run; live mode needs {', '.join(missing)}"
        yield fine("secrets", f"{skipped}; {WHERE_SECRETS_ARE}")


def missing_in(found: list[ConfigProblem]) -> list[str]:
    """Return the variables that live mode needs, and that are not set."""
    return [problem.message.partition(" ")[0] for problem in found if problem.code == MISSING]


def config(settings: Settings, missing: Sequence[str] = ()) -> Iterator[Finding]:
    """Report which config and profile are used and what is odd about them, without a variable that is missing."""
    numbers = len(settings.whatsapp.phone_number_ids)
    yield fine(
        "config",
        f"{settings.config_path}, profile {settings.profile}: {len(settings.whatsapp.waba_ids)} account(s),"
        f" {numbers} number(s), {len(settings.destinations)} destination(s)",
    )
    odd = [text for text in settings.warnings if text.partition(" ")[0] not in missing]
    for text in (*odd, *unmatched_of(settings.destinations, settings.whatsapp.phone_number_ids)):
        yield warning("config", text, CONFIGURE)


def graph_version(configured: str, now: datetime) -> Finding:
    """Report how long the configured version of the Graph API lives, by Meta's published dates."""
    end, cure = end_of(configured), "raise graph.apiVersion in the config, and restart every process"
    if end is None:
        return fine("graphVersion", f"{configured}; Meta has published no end of it")
    if end <= now:
        return error("graphVersion", f"{configured} ended on {end:%Y-%m-%d}: the oldest living one answers", cure)
    if ends_soon(configured, now):
        return warning("graphVersion", f"{configured} ends on {end:%Y-%m-%d}", cure)
    return fine("graphVersion", f"{configured}, until {end:%Y-%m-%d}")


def routes(settings: Settings) -> Finding:
    """Build the application, and look whether each route names its guard."""
    from app.factory import create_app  # here, because only this needs the whole application
    from app.web.guards import guard_of

    app = create_app(settings)
    rules = list(app.url_map.iter_rules())
    unguarded = sorted({rule.rule for rule in rules if guard_of(app, rule.endpoint) is None})
    if unguarded:
        return error("routes", f"without a guard: {', '.join(unguarded)}", "this is a fault of wats: report it")
    service = settings.service
    return fine("routes", f"{len(rules)}, each guarded: {settings.webhook.path}, {service.api_prefix}/…")


def _parted(text: str) -> tuple[str, str]:
    what, _, cure = text.partition("; ")
    return what, cure
