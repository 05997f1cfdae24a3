"""The front door of the room: settings for a start, for a look, or explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.config.errors import ConfigError
from app.config.explain import Explained, explain_profile, explain_request
from app.config.resolve import resolve
from app.config.settings import Mode, Settings
from app.config.start.environment import start_environment
from app.config.start.flags import Flags
from app.config.start.request import config_path, evaluate, read_config
from app.config.start.variables import read_variables

NO_FLAGS = Flags()


@dataclass(frozen=True)
class Checked:
    """A config file without problems, and the profiles in it."""

    path: Path
    profiles: tuple[str, ...]
    default: str | None


def load_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a start, all gates and secrets checked. Raises `ConfigError` with every problem."""
    return resolve(evaluate(flags, _environ(environ)))[0]


def inspect_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings good for looking at routes: no mode, secret or `$PORT` is needed, and none is read."""
    environ = {name: value for name, value in _environ(environ).items() if name in ("WATS_CONFIG", "WATS_PROFILE")}
    request = evaluate(Flags(config=flags.config, profile=flags.profile), environ, needs_mode=False)
    request.mode = Mode.DRY_RUN
    return resolve(request)[0]


def explain_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> list[Explained]:
    """Every setting with its value and source. Raises `ConfigError` like `load_settings`."""
    request = evaluate(flags, _environ(environ))
    settings, sources = resolve(request)
    assert request.profile is not None
    return [*explain_request(request, settings), *explain_profile(request.profile, sources.origins)]


def check_config(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Checked:
    """The config file with all its profiles, without mode or secrets. Raises `ConfigError` with every problem."""
    path = config_path(flags, read_variables(_environ(environ))[0])
    document = read_config(path)
    return Checked(path, tuple(document.profiles), document.default)


def show_config(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> list[Explained]:
    """A profile with its defaults, and which of its variables are set, without mode or secrets."""
    request = evaluate(flags, _environ(environ), needs_mode=False)
    if request.profile is None:
        raise ConfigError(request.problems)
    names = [name for name in request.environ if request.environ[name]]
    origins = {name.removesuffix("_FILE"): f"file named by {name}" for name in names if name.endswith("_FILE")}
    return list(explain_profile(request.profile, origins | {name: f"environment {name}" for name in names}))


def child_environment(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a process that shall load these very settings: what a parent hands to its children."""
    given = dict(_environ(environ))
    for gone in ("WATS_YES_LIVE", "WATS_PAAS", "WATS_DRY_RUN_PUSH", "WATS_ENV_FILE"):
        given.pop(gone, None)
    return {
        **given,
        "WATS_CONFIG": str(settings.config_path),
        "WATS_PROFILE": settings.profile,
        "WATS_MODE": settings.mode.value,
        "WATS_HOST": settings.service.host,
        "WATS_PORT": str(settings.service.port),
        "WATS_THREADS": str(settings.worker.threads),
        "WEB_CONCURRENCY": str(settings.web_processes),
        "WATS_DATA_DIR": str(settings.data_dir),
        "WATS_GRACE_SECONDS": str(settings.grace_seconds),
        **({"WATS_ENV_FILE": str(settings.env_file)} if settings.env_file else {}),
        **({"WATS_YES_LIVE": "1"} if settings.mode is Mode.LIVE else {}),
        **({"WATS_PAAS": "1"} if settings.paas else {}),
        **({"WATS_DRY_RUN_PUSH": "1"} if settings.push_anywhere else {}),
        **dict(settings.generated_secrets),
    }


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return start_environment() if environ is None else environ
