"""Options that several commands share.

Start options come from the table in `app/config/start_options.py`; a command gets them as one `Flags`.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from app.config import Flags, Settings, api_access, client_settings, webhook_signing
from app.config.option_types import FilePath, Number, Switch
from app.config.start_options import CONFIG, ENV_FILE, LIVE, OPTIONS, PROFILE, YES_LIVE, Commands, StartOption

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

_PAGE = [
    click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many."),
    click.option("--cursor", help="The nextCursor of the page before."),
]

CLIENT_GROUPS = (Commands.CLIENT, Commands.EVERY, Commands.START_OR_CLIENT)

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def config_options(command: Command) -> Command:
    """Give a command the options that say which config and profile, as `flags`."""
    return _with_flags(command, Commands.EVERY)


def start_options(command: Command) -> Command:
    """Give a command the options of a start, as `flags`; the command opens no port."""
    return _with_flags(command, Commands.EVERY, Commands.START, Commands.START_OR_CLIENT, listens=False)


def serve_options(command: Command) -> Command:
    """Give `serve` every option of a start, as `flags`."""
    return _with_flags(command, Commands.EVERY, Commands.START, Commands.START_OR_CLIENT, Commands.SERVE)


def client_options(command: Command) -> Command:
    """Give a command the options that say where the running service is, as `access`."""

    @wraps(command)
    def with_access(flags: Flags, **others: Any) -> Any:
        return command(access=api_access(flags), **others)

    return _with_flags(with_access, *CLIENT_GROUPS)


def dry_run_client_options(command: Command) -> Command:
    """Give a command what it needs to reach a running dry-run as Meta does, as `access` and `settings`."""

    @wraps(command)
    def with_both(flags: Flags, **others: Any) -> Any:
        access = api_access(flags, heeds_mode=False)
        return command(access=access, settings=_settings_of_meta(flags), **others)

    return _with_flags(with_both, *CLIENT_GROUPS)


def meta_client_options(command: Command) -> Command:
    """Give a command what it needs to reach a running service as Meta does, as `access` and `signing`.

    Without the two yeses to live the secrets are those of a dry-run.
    """

    @wraps(command)
    def with_both(flags: Flags, live: bool, yes_live: bool, **others: Any) -> Any:
        return command(
            access=api_access(flags, heeds_mode=False),
            signing=webhook_signing(_flags_of_meta(flags, live, yes_live)),
            **others,
        )

    return click_option(LIVE)(click_option(YES_LIVE)(_with_flags(with_both, *CLIENT_GROUPS)))


def settings_options(command: Command) -> Command:
    """Give a command the settings, as `settings`: those of a dry-run without the two yeses to live."""

    @wraps(command)
    def with_settings(flags: Flags, live: bool, yes_live: bool, **others: Any) -> Any:
        return command(settings=_settings_of_meta(flags, live, yes_live), **others)

    flagged = _with_flags(with_settings, Commands.EVERY, Commands.START_OR_CLIENT)
    return click_option(LIVE)(click_option(YES_LIVE)(flagged))


def _settings_of_meta(flags: Flags, live: bool = False, yes_live: bool = False) -> Settings:
    return client_settings(_flags_of_meta(flags, live, yes_live))


def _flags_of_meta(flags: Flags, live: bool, yes_live: bool) -> Flags:
    names = {"config": flags.get(CONFIG), "profile": flags.get(PROFILE)}
    if live or yes_live:
        return Flags(**names, env_file=flags.get(ENV_FILE), live=live, yes_live=yes_live, listens=False)
    return Flags(**names, dry_run=True, listens=False)


def check_options(command: Command) -> Command:
    """Give a command the options that say which config, and the two yeses to live, as `flags`."""

    @wraps(command)
    def with_flags(flags: Flags, live: bool, yes_live: bool, **others: Any) -> Any:
        named: list[StartOption[Any]] = [CONFIG, PROFILE, ENV_FILE]
        names = {option.keyword: flags.get(option) for option in named}
        return command(flags=Flags(**names, live=live, yes_live=yes_live, listens=False), **others)

    flagged = _with_flags(with_flags, Commands.EVERY, Commands.START_OR_CLIENT)
    return click_option(LIVE)(click_option(YES_LIVE)(flagged))


def page_options(command: Command) -> Command:
    """Give a command the options that say which page of a list, as `limit` and `cursor`."""
    return _decorated(command, _PAGE)


def click_option(option: StartOption[Any]) -> Decorator:
    """Return a start option's flag as a click option."""
    if isinstance(option.type, Switch):
        return click.option(option.flag, is_flag=True, help=option.flag_help)
    return click.option(option.flag, type=_click_type(option), help=option.flag_help)


def _click_type(option: StartOption[Any]) -> Any:
    if isinstance(option.type, Number):
        return click.IntRange(option.type.low, option.type.high)
    return click.Path(path_type=Path) if isinstance(option.type, FilePath) else str


def _with_flags(command: Command, *groups: Commands, listens: bool = True) -> Command:
    """Give a command the flags of these groups; it receives them as one `flags`."""
    options = [option for group in groups for option in OPTIONS if option.flag and option.commands is group]
    keywords = {option.keyword for option in options}

    @wraps(command)
    def call(**given: Any) -> Any:
        flags = Flags(listens=listens, **{name: value for name, value in given.items() if name in keywords})
        return command(flags=flags, **{name: value for name, value in given.items() if name not in keywords})

    return _decorated(call, map(click_option, options))


def _decorated(command: Command, decorators: Iterable[Decorator]) -> Command:
    for decorator in reversed(list(decorators)):
        command = decorator(command)
    return command
