"""The evaluation of flags, environment and profile: which config, which profile, which mode, where to listen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config.errors import InvalidValue, Problems
from app.config.file.document import read_document
from app.config.file.profile import Document, Profile, read_profiles
from app.config.settings import Mode
from app.config.start.env_file import read_env_file
from app.config.start.mode import choose_mode, mode_source
from app.config.start.values import Flags, Sourced, StartValues, read_values
from app.config.start_options import (
    CONFIG,
    DATA_DIR,
    DRAIN_SECONDS,
    ENV_FILE,
    GRACE_SECONDS,
    HOST,
    METRICS_DIR,
    MODE,
    OPTIONS,
    PAAS,
    PLATFORM_PORT,
    PORT,
    PROFILE,
    RUN_DIR,
    YES_LIVE,
    StartOption,
)

DEFAULT_CONFIGS = (Path("wats.config.yaml"), Path("config/wats.config.yaml"))
UNREADABLE = object()
SECONDS_AFTER_DRAIN = 5
"""The end of the grace period, in which requests in flight finish and processes end."""

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what a platform's router needs


@dataclass(frozen=True)
class StartRequest:
    """The start of a process as plain values, evaluated once by `evaluate`.

    `mode` and `profile` are None if they could not be chosen. `problems` is the collector that the next steps add to.
    """

    environ: Mapping[str, str]
    values: StartValues
    mode: Mode | None
    config_path: Path
    profile: Profile | None
    env_file: Mapping[str, str]
    warnings: tuple[str, ...]
    problems: Problems


def evaluate(flags: Flags, environ: Mapping[str, str], *, needs_mode: bool = True) -> StartRequest:
    """Evaluate the flags against the environment and the config. Problems are collected, not raised."""
    problems = Problems()
    values = read_values(flags, environ, problems)
    mode = choose_mode(values, problems) if needs_mode else None
    path = config_path(values)
    document = read_config(path, problems)
    profile = None if document is None else _choose_profile(document, values[PROFILE], problems)
    values = _completed(values, profile, mode, path)
    values = _with_platform_address(values, problems, listens=flags.listens)
    _check_drain(values, problems)
    reads_env_file = mode is Mode.LIVE or not needs_mode
    env_file, warnings = _read_env_file(values, problems) if reads_env_file else ({}, [])
    return StartRequest(environ, values, mode, path, profile, env_file, tuple(warnings), problems)


def config_path(values: StartValues) -> Path:
    """Return the path of the config: that of flag or variable, or the first default path that exists."""
    return (values[CONFIG] or _first_existing()).absolute()


def read_config(path: Path, problems: Problems) -> Document | None:
    """Return the document at this path; None if it has a problem."""
    found_before = len(problems.found)
    content = problems.named(str(path)).read(lambda: read_document(path), UNREADABLE)
    if content is UNREADABLE:
        return None
    document = read_profiles(content, problems.in_file(path))
    return document if len(problems.found) == found_before else None


def _first_existing() -> Path:
    return next((path for path in DEFAULT_CONFIGS if path.exists()), DEFAULT_CONFIGS[0])


def _choose_profile(document: Document, named: str | None, problems: Problems) -> Profile | None:
    name = named or document.default
    if name in document.profiles:
        return document.profiles[name]
    known = ", ".join(document.profiles)
    message = (
        f"choose one of the file's profiles: {known}" if name is None else f"no such profile; there are: {known}"
    )
    problems.named(PROFILE.flag).add("unknown_profile", message)
    return None


def _completed(values: StartValues, profile: Profile | None, mode: Mode | None, path: Path) -> StartValues:
    """Return the values completed: paths absolute, the profile's settings where no flag or variable is given."""
    changes: dict[StartOption[Any], Sourced[Any]] = {
        CONFIG: Sourced(path, values.source(CONFIG)),
        DATA_DIR: Sourced(values[DATA_DIR].absolute(), values.source(DATA_DIR)),
    }
    if mode is not None:
        changes[MODE] = Sourced(mode, mode_source(values))
        changes[YES_LIVE] = Sourced(mode is Mode.LIVE, values.source(YES_LIVE))
    for option in (ENV_FILE, METRICS_DIR, RUN_DIR):
        if path_given := values[option]:
            changes[option] = Sourced(path_given.absolute(), values.source(option))
    if profile is not None:
        changes[PROFILE] = Sourced(profile.name, values.source(PROFILE))
        for option in OPTIONS:
            if option.setting and not values.is_given(option):
                section, key = option.setting
                source = "config" if key in profile.sections[section].given else "default"
                changes[option] = Sourced(profile.sections[section][key], source)
    return values.with_changes(changes)


def _with_platform_address(values: StartValues, problems: Problems, *, listens: bool) -> StartValues:
    """Return the values with the address that a platform needs in PaaS mode, unless flags or variables give it."""
    changes: dict[StartOption[Any], Sourced[Any]] = {}
    if values[PAAS] and not values.is_given(HOST):
        changes[HOST] = Sourced(ANY_ADDRESS, "PaaS mode")
    if values[PAAS] and listens and not values.is_given(PORT):
        changes[PORT] = Sourced(_platform_port(values, problems), f"environment {PLATFORM_PORT.variable}")
    return values.with_changes(changes)


def _platform_port(values: StartValues, problems: Problems) -> int:
    try:
        return PORT.type.parse(values[PLATFORM_PORT])
    except InvalidValue:
        name = PLATFORM_PORT.variable
        message = f"PaaS mode needs ${name}: {PORT.type.name}, digits, no sign or leading zero"
        problems.named(name).add("bad_port", message)
        return 0


def _check_drain(values: StartValues, problems: Problems) -> None:
    """Add a problem if the drain leaves no time of the grace for the requests in flight."""
    most = max(0, values[GRACE_SECONDS] - SECONDS_AFTER_DRAIN)
    if values[DRAIN_SECONDS] > most:
        name, grace = DRAIN_SECONDS.variable, GRACE_SECONDS.variable
        message = (
            f"at most {most}: {grace} is {values[GRACE_SECONDS]}, and {SECONDS_AFTER_DRAIN} are for what follows"
        )
        problems.named(name).add("bad_variable", message)


def _read_env_file(values: StartValues, problems: Problems) -> tuple[dict[str, str], list[str]]:
    """Return the env file's variables and warnings; in PaaS mode the file may be absent."""
    path = values[ENV_FILE]
    if path is None:
        return {}, []
    try:
        return read_env_file(path)
    except InvalidValue as invalid:
        if not (values[PAAS] and invalid.code == "file_missing"):
            problems.in_file(path).at(ENV_FILE.flag).add(invalid.code, invalid.message)
        return {}, []
