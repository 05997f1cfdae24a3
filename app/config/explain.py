"""Explanations of settings: path, value (of a secret only `set` or `unset`) and source."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.config.file.profile import Profile
from app.config.file.reading import SectionValues
from app.config.schema.keys import DESTINATION, SECTIONS, TOKEN, Section
from app.config.schema.references import EnvRef, SecretRef
from app.config.schema.urls import without_query
from app.config.settings import Mode, Settings
from app.config.start.request import StartRequest
from app.config.start_options import OPTIONS

Origins = Mapping[str, str]


@dataclass(frozen=True)
class Explained:
    """One setting: its path, its value as text (of a secret only `set` or `unset`) and its source."""

    path: str
    value: str
    source: str


def explain_request(request: StartRequest, settings: Settings) -> Iterator[Explained]:
    """Explain the start options, and which database they lead to."""
    for option in OPTIONS:
        if option.shown:
            yield Explained(option.shown, _plain(request.values[option]), request.values.source(option))
    is_dry_run = settings.mode is Mode.DRY_RUN
    yield Explained("database", settings.storage.kind, "the dry-run's own" if is_dry_run else "storage.url")


def explain_profile(profile: Profile, origins: Origins) -> Iterator[Explained]:
    """Explain every key of a profile. `origins` says where the variables that it names were found."""
    path = f"profiles.{profile.name}"
    for section, keys in SECTIONS.items():
        yield from _explain(profile.sections[section], keys, f"{path}.{section}", origins)
    for index, token in enumerate(profile.sections["service"]["tokens"]):
        yield from _explain(token, TOKEN, f"{path}.service.tokens[{index}]", origins)
    for index, destination in enumerate(profile.destinations):
        yield from _explain(destination, DESTINATION, f"{path}.destinations[{index}]", origins)


def _explain(values: SectionValues, section: Section, path: str, origins: Origins) -> Iterator[Explained]:
    for key in section:
        key_path, value = f"{path}.{key}", values[key]
        if isinstance(value, EnvRef | SecretRef):
            yield _presence(key_path, value.env, origins)
            if isinstance(value, SecretRef) and value.previous:
                yield _presence(f"{key_path}.previous", value.previous, origins)
        else:
            source = "config" if key in values.given else "default"
            yield Explained(key_path, SHOWN.get(key, _plain)(value), source)


def _presence(path: str, name: str, origins: Origins) -> Explained:
    return Explained(path, "set" if name in origins else "unset", origins.get(name, f"environment {name}"))


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"${item.env}" if isinstance(item, EnvRef) else str(item) for item in value) or "none"
    return str(value).lower() if isinstance(value, bool) else "none" if value is None else str(value)


def _url(value: str | None) -> str:
    """Return a destination's URL without its query, which may hold a key; `set` for the database's URL."""
    if value is None:
        return "the default file"
    return without_query(value) if value.startswith("http") else "set"


SHOWN: Mapping[str, Callable[[Any], str]] = {
    "url": _url,
    "headers": lambda headers: ", ".join(name for name, _ in headers) or "none",
    "tokens": lambda tokens: ", ".join(token["name"] for token in tokens) or "none",
}
