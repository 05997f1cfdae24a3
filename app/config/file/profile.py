"""Reading a config document: every profile is checked, every problem collected; secrets stay references."""

import re
from dataclasses import dataclass

from app.config.errors import Problems
from app.config.file.document import report_repeated_keys
from app.config.file.reading import SectionValues, read_list, read_mapping, read_section, report_unknown_keys
from app.config.schema.collisions import report_collisions
from app.config.schema.keys import DESTINATION, SECTIONS

_PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
ROOT_KEYS = ("version", "defaultProfile", "profiles")


@dataclass(frozen=True)
class Profile:
    """A profile with its defaults filled in: values by section and key, and its destinations."""

    name: str
    sections: dict[str, SectionValues]
    destinations: list[SectionValues]


@dataclass(frozen=True)
class Document:
    """All profiles of a config, and the one that counts when none is named."""

    profiles: dict[str, Profile]
    default: str | None


def read_profiles(content: object, problems: Problems) -> Document:
    """Return the profiles of a file's content. With a problem among `problems` it must not be used."""
    report_repeated_keys(content, problems)
    root = read_mapping(content if content is not None else [], problems.at("config"))
    report_unknown_keys(root, ROOT_KEYS, problems)
    version = root.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version != 1:
        problems.at("version").add("bad_version", "1 is needed, the version of this format")
    profiles = _read_each(root, problems.at("profiles"))
    return Document(profiles, _read_default(root, profiles, problems.at("defaultProfile")))


def is_profile_name(name: str) -> bool:
    """Return whether a profile can have this name."""
    return _PROFILE_NAME.fullmatch(name) is not None


def _read_each(root: dict[str, object], problems: Problems) -> dict[str, Profile]:
    profiles = read_mapping(root.get("profiles"), problems)
    if not profiles:
        problems.add("missing", "at least one profile is needed")
    for name in profiles:
        if not is_profile_name(name):
            problems.at(name).add("bad_profile_name", "profile names are 1 to 64 letters, digits, - and _")
    return {name: _read_profile(name, value, problems.at(name)) for name, value in profiles.items()}


def _read_default(root: dict[str, object], profiles: dict[str, Profile], problems: Problems) -> str | None:
    if "defaultProfile" not in root:
        return next(iter(profiles)) if len(profiles) == 1 else None
    default = root["defaultProfile"]
    if not isinstance(default, str) or default not in profiles:
        problems.add("unknown_profile", "this names no profile of the file")
        return None
    return default


def _read_profile(name: str, value: object, problems: Problems) -> Profile:
    profile = read_mapping(value, problems)
    report_unknown_keys(profile, (*SECTIONS, "destinations"), problems)
    sections = {key: read_section(profile.get(key), section, problems.at(key)) for key, section in SECTIONS.items()}
    destinations = read_list(profile.get("destinations"), DESTINATION, problems.at("destinations"))
    _check_numbers(sections["whatsapp"], problems.at("whatsapp").at("phoneNumberId"))
    _check_idempotency(sections["sending"], sections["retention"], problems.at("sending").at("idempotencyDays"))
    report_collisions(sections, problems)
    return Profile(name, sections, destinations)


def _check_numbers(whatsapp: SectionValues, problems: Problems) -> None:
    given = whatsapp.given & {"phoneNumberId", "phoneNumberIds"}
    if not given:
        problems.add("missing", "the id of a phone number is needed")
    if len(given) > 1 and whatsapp["phoneNumberId"] not in (whatsapp["phoneNumberIds"] or ()):
        problems.add("conflict", "phoneNumberIds does not contain it")


def _check_idempotency(sending: SectionValues, retention: SectionValues, problems: Problems) -> None:
    """Report keys that outlive their messages: a repeat could not be answered with its message any more."""
    days, kept = sending["idempotencyDays"], retention["days"]
    if days > kept:
        cure = f"take at most {kept} days, or raise `retention.days`"
        problems.add(
            "conflict", f"messages are deleted after `retention.days` ({kept}), their keys not before: {cure}"
        )
