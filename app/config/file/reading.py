"""Reading the sections of a config document: known keys are read or defaulted, every problem is collected."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from app.config.errors import Problems, shortened
from app.config.schema.keys import REQUIRED, Section, SectionList, Setting
from app.config.schema.value_types import MAX_ITEMS


class SectionValues(dict[str, Any]):
    """The values of a section by key, defaults filled in. `given` are the keys that the file has."""

    def __init__(self, values: Mapping[str, Any], given: Iterable[str]) -> None:
        super().__init__(values)
        self.given = frozenset(given)


def read_mapping(value: object, problems: Problems) -> dict[str, object]:
    """Return a mapping. An absent or wrong one is taken as empty; a wrong one is a problem."""
    if value is None or isinstance(value, dict):
        return value or {}
    problems.add("wrong_type", "a mapping of keys is needed")
    return {}


def report_unknown_keys(mapping: Mapping[str, object], known: Iterable[str], problems: Problems) -> None:
    """Add a problem for each unknown key, with the nearest known one."""
    for key in mapping:
        if key not in known:
            near = difflib.get_close_matches(shortened(key), known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.at(key).add("unknown_key", f"this key is unknown{hint}")


def read_section(value: object, section: Section, problems: Problems) -> SectionValues:
    """Return every key of a section, read or defaulted."""
    mapping = read_mapping(value, problems)
    report_unknown_keys(mapping, section, problems)
    values = {key: _read_key(mapping, key, setting, problems.at(key)) for key, setting in section.items()}
    return SectionValues(values, section.keys() & mapping.keys())


def read_list(value: object, section: Section, problems: Problems) -> list[SectionValues]:
    """Return a list of sections with distinct names; a wrong one is taken as empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        problems.add("wrong_type", "a list is needed")
        return []
    if len(value) > MAX_ITEMS:
        problems.add("out_of_range", f"at most {MAX_ITEMS} items are allowed")
        return []
    items = [read_section(item, section, problems.item(index)) for index, item in enumerate(value)]
    names = [item["name"] for item in items]
    for index, name in enumerate(names):
        if name is not None and name in names[:index]:
            problems.item(index).at("name").add("repeated", "an earlier item has this name")
    return items


def _read_key(mapping: Mapping[str, object], key: str, setting: Setting, problems: Problems) -> Any:
    """Return one key's value; where it is missing or wrong its default, with a problem if need be."""
    value = mapping.get(key)
    default = None if setting.default is REQUIRED else setting.default
    if isinstance(setting.type, SectionList):
        return read_list(value, setting.type.section, problems)
    if value is not None:
        read = setting.type.read
        return problems.read(lambda: read(value), default)
    if setting.default is REQUIRED:
        problems.add("missing", f"this key is needed: {setting.type.name}. {setting.meaning}")
    elif key in mapping and setting.default != ():
        problems.add("empty_value", "a value is needed; without the key its default counts")
    return default
