"""Settings told to people: each with its path, its value (a secret only as `set` or `unset`) and its source."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.config.file.profile import Profile
from app.config.schema.keys import DESTINATION, SECTIONS, TOKEN, Section
from app.config.schema.references import EnvRef, SecretRef
from app.config.schema.urls import without_query
from app.config.settings import Mode, Settings
from app.config.start.request import StartRequest

Origins = Mapping[str, str]
Row = tuple[str, object, object, str]


@dataclass(frozen=True)
class Explained:
    """One setting for people: its path, its value (a secret only as `set` or `unset`), and who told it."""

    path: str
    value: str
    source: str


def explain_request(request: StartRequest, settings: Settings) -> Iterator[Explained]:
    """What flags, environment and profile together came to."""
    host, port = request.host(), request.port()
    for path, value, flag, variable in _launch_rows(request, settings):
        by = f"flag {flag}" if flag else f"environment {variable}"
        yield Explained(path, _plain(value), by if flag or request.environ.get(variable) else "default")
    yield Explained("listen.host", str(host.value), host.by)
    yield Explained("listen.port", str(port.value), port.by)
    own = settings.mode is Mode.DRY_RUN
    yield Explained("database", settings.storage.kind, "the dry-run's own" if own else "storage.url")


def _launch_rows(request: StartRequest, settings: Settings) -> list[Row]:
    """Path, value, the flag that told it (if one did), the variable that may have."""
    flags = request.flags
    mode_flag = flags.live or flags.dry_run
    return [
        ("mode", settings.mode, mode_flag and f"--{settings.mode}", "WATS_MODE"),
        ("config", settings.config_path, flags.config and "--config", "WATS_CONFIG"),
        ("profile", settings.profile, flags.profile and "--profile", "WATS_PROFILE"),
        ("envFile", settings.env_file, flags.env_file and "--env-file", "WATS_ENV_FILE"),
        ("paas", settings.paas, flags.paas and "--paas", "WATS_PAAS"),
        ("push", settings.push_anywhere, flags.push and "--push", "WATS_DRY_RUN_PUSH"),
        ("webProcesses", settings.web_processes, flags.workers and "--workers", "WEB_CONCURRENCY"),
        ("threads", settings.worker.threads, flags.threads and "--threads", "WATS_THREADS"),
        ("graceSeconds", settings.grace_seconds, None, "WATS_GRACE_SECONDS"),
        ("dataDir", settings.data_dir, None, "WATS_DATA_DIR"),
    ]


def explain_profile(profile: Profile, origins: Origins) -> Iterator[Explained]:
    """Every key of a profile. `origins` tells where the variables that it names were found."""
    path = f"profiles.{profile.name}"
    for section, keys in SECTIONS.items():
        yield from _explain(profile, profile.sections[section], keys, f"{path}.{section}", origins)
    for at, token in enumerate(profile.sections["service"]["tokens"]):
        yield from _explain(profile, token, TOKEN, f"{path}.service.tokens[{at}]", origins)
    for at, destination in enumerate(profile.destinations):
        yield from _explain(profile, destination, DESTINATION, f"{path}.destinations[{at}]", origins)


def _explain(
    profile: Profile, values: Mapping[str, Any], keys: Section, path: str, origins: Origins
) -> Iterator[Explained]:
    for key in keys:
        where, value = f"{path}.{key}", values[key]
        if isinstance(value, EnvRef | SecretRef):
            yield _presence(where, value.env, origins)
            if isinstance(value, SecretRef) and value.previous:
                yield _presence(f"{where}.previous", value.previous, origins)
        else:
            source = "config" if where in profile.given else "default"
            yield Explained(where, SHOWN.get(key, _plain)(value), source)


def _presence(path: str, name: str, origins: Origins) -> Explained:
    return Explained(path, "set" if name in origins else "unset", origins.get(name, f"environment {name}"))


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"${item.env}" if isinstance(item, EnvRef) else str(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else "none" if value is None else str(value)


def _url(value: str | None) -> str:
    """A destination's URL without its query, which may hold a key; the database's URL not at all."""
    if value is None:
        return "the default file"
    return without_query(value) if value.startswith("http") else "set"


SHOWN: Mapping[str, Callable[[Any], str]] = {
    "url": _url,
    "headers": lambda headers: ", ".join(name for name, _ in headers) or "none",
    "tokens": lambda tokens: ", ".join(token["name"] for token in tokens) or "none",
}
