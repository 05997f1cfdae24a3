"""Walking through a config document: known keys read or defaulted, every problem collected with its path."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.config.errors import ConfigProblem, InvalidValue, shortened, under
from app.config.schema.keys import REQUIRED, Section, Setting
from app.config.schema.kinds import LIMIT_ITEMS


@dataclass
class Reading:
    """What a walk has found so far: problems, and the paths of the keys that the file gives."""

    problems: list[ConfigProblem] = field(default_factory=list)
    given: set[str] = field(default_factory=set)

    def miss(self, code: str, path: str, message: str) -> None:
        self.problems.append(ConfigProblem(code, path, message))

    def mapping(self, value: object, path: str) -> dict[str, object]:
        """A mapping; an absent or wrong one is taken as empty, the latter with a problem."""
        if value is None or isinstance(value, dict):
            return value or {}
        self.miss("wrong_type", path, "a mapping of keys is needed")
        return {}

    def unknown(self, keys: Iterable[str], known: Iterable[str], path: str) -> None:
        """Report keys that are not known, with the nearest one that is."""
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(shortened(key), known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.miss("unknown_key", under(path, key), f"this key is unknown{hint}")

    def section(self, value: object, section: Section, path: str) -> dict[str, Any]:
        """Every key of a section, read or defaulted."""
        mapping = self.mapping(value, path)
        self.unknown(mapping, section, path)
        return {key: self.key(mapping, wanted, under(path, key), key) for key, wanted in section.items()}

    def key(self, mapping: dict[str, object], wanted: Setting, path: str, key: str) -> Any:
        """One key's value; where it is missing or wrong its default, with a problem if need be."""
        default = None if wanted.default is REQUIRED else wanted.default
        if key in mapping:
            self.given.add(path)
        if mapping.get(key) is not None:
            return self._read(mapping[key], wanted, path, default)
        if wanted.default is REQUIRED:
            self.miss("missing", path, f"{wanted.meaning} ({wanted.type.name}) is needed")
        elif key in mapping and wanted.default != ():
            self.miss("empty_value", path, "a value is needed; without the key its default counts")
        return default

    def _read(self, value: object, wanted: Setting, path: str, default: Any) -> Any:
        try:
            return wanted.type.read(value)
        except InvalidValue as bad:
            self.problems.append(bad.at(path))
            return default

    def items(self, value: object, section: Section, path: str) -> list[dict[str, Any]]:
        """A list of sections with distinct names."""
        if value is None or value == ():
            return []
        if not isinstance(value, list):
            self.miss("wrong_type", path, "a list is needed")
            return []
        if len(value) > LIMIT_ITEMS:
            self.miss("out_of_range", path, f"at most {LIMIT_ITEMS} items may stand here")
            return []
        items = [self.section(item, section, f"{path}[{at}]") for at, item in enumerate(value)]
        names = [item["name"] for item in items]
        for at, name in enumerate(names):
            if name is not None and name in names[:at]:
                self.miss("repeated", f"{path}[{at}].name", "this name stands there twice")
        return items
