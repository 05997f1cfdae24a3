"""Reading a config document: every profile checked, all mistakes collected, secrets still only references."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.config.collisions import collisions
from app.config.keys import DESTINATION, LISTS, REQUIRED, SECTIONS, Section
from app.config.mistakes import Bad, ConfigError, Mistake

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


@dataclass
class Reading:
    """What a walk through the document has found so far."""

    mistakes: list[Mistake] = field(default_factory=list)
    given: set[str] = field(default_factory=set)

    def miss(self, code: str, path: str, message: str) -> None:
        self.mistakes.append(Mistake(code, path, message))

    def mapping(self, value: object, path: str) -> dict[str, object]:
        """A mapping; an absent or wrong one is taken as empty, the latter with a mistake."""
        if value is None or isinstance(value, dict):
            return value or {}
        self.miss("wrong_type", path, "a mapping of keys is needed")
        return {}

    def unknown(self, keys: Iterable[str], known: Iterable[str], path: str) -> None:
        """Report keys that are not known, with the nearest one that is."""
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.miss("unknown_key", _under(path, key[:60]), f"this key is unknown{hint}")

    def section(self, value: object, section: Section, path: str) -> dict[str, Any]:
        """Every key of a section, read or defaulted."""
        mapping = self.mapping(value, path)
        self.unknown(mapping, section, path)
        return {key: self.key(mapping, section, key, path) for key in section}

    def key(self, mapping: dict[str, object], section: Section, key: str, path: str) -> Any:
        """One key's value; None where it is missing or wrong, with a mistake."""
        wanted, where = section[key], _under(path, key)
        if mapping.get(key) is None:
            if wanted.default is REQUIRED:
                self.miss("missing", where, f"{wanted.meaning} ({wanted.kind.name}) is needed")
                return None
            return wanted.default
        self.given.add(where)
        try:
            return wanted.kind.read(mapping[key])
        except Bad as bad:
            self.mistakes.append(bad.at(where))
            return wanted.default if wanted.default is not REQUIRED else None

    def items(self, value: object, section: Section, path: str) -> list[dict[str, Any]]:
        """A list of sections with distinct names."""
        if value is None or value == ():
            return []
        if not isinstance(value, list):
            self.miss("wrong_type", path, "a list is needed")
            return []
        items = [self.section(item, section, f"{path}[{at}]") for at, item in enumerate(value)]
        names = [item["name"] for item in items]
        for at, name in enumerate(names):
            if name is not None and name in names[:at]:
                self.miss("repeated", f"{path}[{at}].name", "this name stands there twice")
        return items


def read_profiles(document: object) -> Document:
    """The document's profiles. Raises `ConfigError` with every mistake of every profile."""
    reading = Reading()
    root = reading.mapping(document if document is not None else [], "config")
    reading.unknown(root, ROOT_KEYS, "")
    if root.get("version") != 1 or isinstance(root.get("version"), bool):
        reading.miss("bad_version", "version", "version: 1 is needed")
    profiles = _read_each(reading, root)
    default = _read_default(reading, root, profiles)
    if reading.mistakes:
        raise ConfigError(reading.mistakes)
    return Document(profiles, default)


def _read_each(reading: Reading, root: dict[str, object]) -> dict[str, Profile]:
    raw = reading.mapping(root.get("profiles"), "profiles")
    if not raw:
        reading.miss("missing", "profiles", "at least one profile is needed")
    for name in raw:
        if not _PROFILE_NAME.fullmatch(name):
            reading.miss("bad_profile_name", "profiles", "profile names are 1 to 64 letters, digits, - and _")
    return {name: _read_profile(reading, name, value) for name, value in raw.items()}


def _read_default(reading: Reading, root: dict[str, object], profiles: dict[str, Profile]) -> str | None:
    default = root.get("defaultProfile")
    if default is None:
        return next(iter(profiles)) if len(profiles) == 1 else None
    if not isinstance(default, str) or default not in profiles:
        reading.miss("unknown_profile", "defaultProfile", "this names no profile of the file")
        return None
    return default


def _read_profile(reading: Reading, name: str, value: object) -> Profile:
    path = f"profiles.{name}"
    raw = reading.mapping(value if value is not None else {}, path)
    reading.unknown(raw, (*SECTIONS, "destinations"), path)
    sections = {key: reading.section(raw.get(key), keys, _under(path, key)) for key, keys in SECTIONS.items()}
    for (section, key), keys in LISTS.items():
        sections[section][key] = reading.items(sections[section][key], keys, f"{path}.{section}.{key}")
    destinations = reading.items(raw.get("destinations"), DESTINATION, f"{path}.destinations")
    _check_numbers(reading, sections["whatsapp"], f"{path}.whatsapp")
    reading.mistakes.extend(collisions(sections, path))
    return Profile(name, sections, destinations, frozenset(reading.given))


def _check_numbers(reading: Reading, whatsapp: dict[str, Any], path: str) -> None:
    given = [key for key in ("phoneNumberId", "phoneNumberIds") if f"{path}.{key}" in reading.given]
    if not given:
        reading.miss("missing", f"{path}.phoneNumberId", "the id of a phone number is needed")
    if len(given) > 1:
        one, several = whatsapp["phoneNumberId"], whatsapp["phoneNumberIds"] or ()
        if one not in several:
            reading.miss("conflict", f"{path}.phoneNumberId", "phoneNumberIds does not contain it")


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
