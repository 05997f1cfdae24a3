"""Reading a config document: every profile checked, all problems collected, secrets still only references."""

import re
from dataclasses import dataclass
from typing import Any

from app.config.errors import ConfigError, under
from app.config.file.document import repeated_keys
from app.config.file.reading import Reading
from app.config.schema.collisions import collisions
from app.config.schema.keys import DESTINATION, LISTS, SECTIONS

_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
ROOT_KEYS = ("version", "defaultProfile", "profiles")


@dataclass(frozen=True)
class Profile:
    """A profile with its defaults filled in: values by section and key. `given` are the paths the file gives."""

    name: str
    sections: dict[str, dict[str, Any]]
    destinations: list[dict[str, Any]]
    given: frozenset[str]


@dataclass(frozen=True)
class Document:
    """All profiles of a config, and the one that is meant when none is named."""

    profiles: dict[str, Profile]
    default: str | None


def read_profiles(document: object) -> Document:
    """The document's profiles. Raises `ConfigError` with every problem of every profile."""
    reading = Reading()
    for path, key in repeated_keys(document):
        reading.miss("duplicate_key", under(path, key), "this key stands twice in one place")
    root = reading.mapping(document if document is not None else [], "config")
    reading.unknown(root, ROOT_KEYS, "")
    version = root.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version != 1:
        reading.miss("bad_version", "version", "version: 1 is needed")
    profiles = _read_each(reading, root)
    default = _read_default(reading, root, profiles)
    if reading.problems:
        raise ConfigError(reading.problems)
    return Document(profiles, default)


def is_profile_name(name: str) -> bool:
    """Tells whether a profile can be called so."""
    return _PROFILE_NAME.fullmatch(name) is not None


def _read_each(reading: Reading, root: dict[str, object]) -> dict[str, Profile]:
    raw = reading.mapping(root.get("profiles"), "profiles")
    if not raw:
        reading.miss("missing", "profiles", "at least one profile is needed")
    for name in raw:
        if not is_profile_name(name):
            message = "profile names are 1 to 64 letters, digits, - and _"
            reading.miss("bad_profile_name", under("profiles", name), message)
    return {name: _read_profile(reading, name, value) for name, value in raw.items()}


def _read_default(reading: Reading, root: dict[str, object], profiles: dict[str, Profile]) -> str | None:
    if "defaultProfile" not in root:
        return next(iter(profiles)) if len(profiles) == 1 else None
    default = root["defaultProfile"]
    if not isinstance(default, str) or default not in profiles:
        reading.miss("unknown_profile", "defaultProfile", "this names no profile of the file")
        return None
    return default


def _read_profile(reading: Reading, name: str, value: object) -> Profile:
    path = under("profiles", name)
    raw = reading.mapping(value if value is not None else {}, path)
    reading.unknown(raw, (*SECTIONS, "destinations"), path)
    sections = {key: reading.section(raw.get(key), keys, under(path, key)) for key, keys in SECTIONS.items()}
    for (section, key), keys in LISTS.items():
        sections[section][key] = reading.items(sections[section][key], keys, f"{path}.{section}.{key}")
    destinations = reading.items(raw.get("destinations"), DESTINATION, f"{path}.destinations")
    _check_numbers(reading, sections["whatsapp"], f"{path}.whatsapp")
    reading.problems.extend(collisions(sections, path))
    return Profile(name, sections, destinations, frozenset(reading.given))


def _check_numbers(reading: Reading, whatsapp: dict[str, Any], path: str) -> None:
    given = [key for key in ("phoneNumberId", "phoneNumberIds") if f"{path}.{key}" in reading.given]
    if not given:
        reading.miss("missing", f"{path}.phoneNumberId", "the id of a phone number is needed")
    if len(given) > 1:
        one, several = whatsapp["phoneNumberId"], whatsapp["phoneNumberIds"] or ()
        if one not in several:
            reading.miss("conflict", f"{path}.phoneNumberId", "phoneNumberIds does not contain it")
