"""The front door of the room: settings for a start, for a look, or explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.config.environment import start_environment
from app.config.flags import Flags
from app.config.keys import SECTIONS
from app.config.launch import Launch, weigh
from app.config.references import EnvRef, SecretRef
from app.config.resolve import resolve
from app.config.settings import Mode, Settings
from app.config.sources import Sources

NO_FLAGS = Flags()


@dataclass(frozen=True)
class Explained:
    """One setting for people: its path, its value (a secret only as `set` or `unset`), and who told it."""

    path: str
    value: str
    source: str


def load_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a start, all gates and secrets checked. Raises `ConfigError` with every mistake."""
    return resolve(weigh(flags, _environ(environ)))[0]


def inspect_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings good for looking at routes: no mode, secret or `$PORT` is needed, and none is read."""
    environ = {name: value for name, value in _environ(environ).items() if name in ("WATS_CONFIG", "WATS_PROFILE")}
    launch = weigh(Flags(config=flags.config, profile=flags.profile), environ, needs_mode=False)
    launch.mode = Mode.DRY_RUN
    return resolve(launch)[0]


def explain_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> list[Explained]:
    """Every setting with its value and source. Raises `ConfigError` like `load_settings`."""
    launch = weigh(flags, _environ(environ))
    settings, sources = resolve(launch)
    return [*_explain_launch(launch, settings), *_explain_profile(launch, settings, sources)]


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
        **({"WATS_ENV_FILE": str(settings.env_file.absolute())} if settings.env_file else {}),
        **({"WATS_YES_LIVE": "1"} if settings.mode is Mode.LIVE else {}),
        **({"WATS_PAAS": "1"} if settings.paas else {}),
        **({"WATS_DRY_RUN_PUSH": "1"} if settings.push_anywhere else {}),
        **dict(settings.made_secrets),
    }


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return start_environment() if environ is None else environ


def _explain_launch(launch: Launch, settings: Settings) -> list[Explained]:
    host, port = launch.host(), launch.port()
    return [
        Explained("mode", settings.mode.value, "flag" if launch.flags.dry_run or launch.flags.live else "WATS_MODE"),
        Explained("profile", settings.profile, "flag --profile" if launch.flags.profile else "environment or config"),
        Explained("listen.host", str(host.value), host.by),
        Explained("listen.port", str(port.value), port.by),
        Explained("webProcesses", str(settings.web_processes), "flag, WEB_CONCURRENCY or default"),
        Explained("graceSeconds", str(settings.grace_seconds), "WATS_GRACE_SECONDS or default"),
        Explained("database", settings.storage.kind, "see storage.url"),
    ]


def _explain_profile(launch: Launch, settings: Settings, sources: Sources) -> list[Explained]:
    assert launch.profile is not None
    prefix = f"profiles.{launch.profile.name}"
    rows = []
    for section, keys in SECTIONS.items():
        for key in keys:
            path = f"{prefix}.{section}.{key}"
            value = launch.profile.sections[section][key]
            source = "config" if path in launch.profile.given else "default"
            rows.append(_explain(path, value, source, settings, sources))
    rows += [
        Explained(f"{prefix}.destinations[{number}]", each.name, "config")
        for number, each in enumerate(settings.destinations)
    ]
    return rows


def _explain(path: str, value: Any, source: str, settings: Settings, sources: Sources) -> Explained:
    if isinstance(value, SecretRef):
        if settings.mode is Mode.DRY_RUN:
            return Explained(path, "not used", "dry-run")
        is_set = value.env in sources.origins
        return Explained(path, "set" if is_set else "unset", sources.origins.get(value.env, value.env))
    if isinstance(value, EnvRef):
        return Explained(path, f"${value.env}", sources.origins.get(value.env, "not read"))
    if path.endswith(".service.tokens"):
        return Explained(path, ", ".join(token["name"] for token in value) or "none", source)
    if path.endswith(".storage.url"):
        return Explained(path, "default file" if value is None else "set", source)
    return Explained(path, _plain(value), source)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"${item.env}" if isinstance(item, EnvRef) else str(item) for item in value) or "none"
    return "none" if value is None else str(value)
