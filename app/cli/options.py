"""Options that several commands share, gathered into `Flags`."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.config import Flags, api_access

Command = Callable[..., Any]

_FILE = click.Path(path_type=Path)
CONFIG_HELP = "The config file. Default: $WATS_CONFIG, then wats.config.yaml, then config/wats.config.yaml."
_CONFIG = [
    click.option("--config", type=_FILE, help=CONFIG_HELP),
    click.option("--profile", help="The profile. Default: $WATS_PROFILE, then the file's defaultProfile."),
]
_MODE = [
    click.option("--dry-run", is_flag=True, help="No Meta account, no secrets, nothing sent."),
    click.option("--live", is_flag=True, help="The first yes to live; or WATS_MODE=live."),
    click.option("--yes-live", is_flag=True, help="The second yes to live; or WATS_YES_LIVE=1."),
    click.option("--env-file", type=_FILE, help="One more source of the secrets that the profile names."),
]
_LISTEN = [
    click.option("--host", help="Address to listen on."),
    click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on."),
    click.option("--paas", is_flag=True, help="Port from $PORT, host 0.0.0.0."),
    click.option("--workers", type=click.IntRange(1, 64), help="Web processes. Default: $WEB_CONCURRENCY, then 2."),
    click.option("--push", is_flag=True, help="In dry-run, push to destinations beyond loopback too."),
]
_URL = click.option("--url", help="The running service. Default: $WATS_URL, then the profile's host and port.")
_PAGE = [
    click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many."),
    click.option("--cursor", help="Continue after the last page: its nextCursor."),
]
_THREADS = [click.option("--threads", type=click.IntRange(1, 64), help="Jobs at a time in the background worker.")]


as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def config_options(command: Command) -> Command:
    """`--config` and `--profile`."""
    return _with(command, _CONFIG)


def start_options(command: Command) -> Command:
    """What every process takes that works beside the web: config, mode and threads. It opens no port."""
    return _with(command, _CONFIG + _MODE + _THREADS, listens=False)


def serve_options(command: Command) -> Command:
    """Everything that `serve` takes about its start."""
    return _with(command, _CONFIG + _MODE + _LISTEN + _THREADS)


def client_options(command: Command) -> Command:
    """Where the running service is and how to be let in, gathered into `access`."""

    @wraps(command)
    def call(*, url: str | None, config: Path | None, profile: str | None, **given: Any) -> Any:
        return command(access=api_access(Flags(config=config, profile=profile), url=url), **given)

    return _decorated(call, [_URL, *_CONFIG])


def page_options(command: Command) -> Command:
    """Which page of a list, as `limit` and `cursor`."""
    return _decorated(command, _PAGE)


def _with(command: Command, options: Sequence[Callable[[Command], Command]], *, listens: bool = True) -> Command:
    """The command with these options; it gets them as one `flags`."""
    names = set(Flags.__dataclass_fields__)

    @wraps(command)
    def call(**given: Any) -> Any:
        flags = Flags(listens=listens, **{name: value for name, value in given.items() if name in names})
        return command(flags=flags, **{name: value for name, value in given.items() if name not in names})

    return _decorated(call, options)


def _decorated(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
