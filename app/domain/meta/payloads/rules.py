"""Rules between several fields of one object, or between the items of one array."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.meta.payloads.findings import Finding, Findings, quoted, warning
from app.domain.meta.payloads.structure import members


class ExactlyOne:
    """One of these keys is given, and no other of them."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def check(self, value: dict[str, Any]) -> Findings:
        """Yield a finding if none or several are given."""
        given = [key for key in self.keys if value.get(key) is not None]
        if len(given) != 1:
            yield Finding(f"must have exactly one of {quoted(self.keys)}; it has {'both' if given else 'none'}")

    def describe(self) -> str:
        """Return the rule."""
        return f"exactly one of {quoted(self.keys)}"


class AtLeastOne:
    """One of these keys is given, or several are."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def check(self, value: dict[str, Any]) -> Findings:
        """Yield a finding if none is given."""
        if all(value.get(key) is None for key in self.keys):
            yield Finding(f"must have {quoted(self.keys)}")

    def describe(self) -> str:
        """Return the rule."""
        return f"at least one of {quoted(self.keys)}"


class Unique:
    """No value occurs twice at a path, such as `*.reply.id`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def check(self, value: object) -> Findings:
        """Yield a finding for each repetition, at its place."""
        seen = set()
        for path, member in members(value, *self.path.split(".")):
            if isinstance(member, str) or type(member) is int:
                if _spelling(member) in seen:
                    yield Finding("must be unique; it is there twice", path=path)
                seen.add(_spelling(member))

    def describe(self) -> str:
        """Return the rule."""
        return f"each `{self.path.removeprefix('*.')}` is unique"


def _spelling(member: str | int) -> str | int:
    """Return what two spellings of an index have in common: `"0"` is `0`, in Meta's samples too."""
    return str(member) if isinstance(member, int) and 0 <= member < 10 else member


@dataclass(frozen=True)
class NoMoreThan:
    """At most this many values are at a path."""

    max: int
    path: str
    what: str

    def check(self, value: object) -> Findings:
        """Yield a finding with the number of values."""
        found = sum(1 for _ in members(value, *self.path.split(".")))
        if found > self.max:
            yield Finding(f"must have {self.describe()}; it has {found}")

    def describe(self) -> str:
        """Return the limit."""
        return f"at most {self.max} {self.what} in all"


@dataclass(frozen=True)
class Same:
    """All values at a path are the same."""

    path: str

    def check(self, value: object) -> Findings:
        """Yield a finding for each that differs from the first."""
        first = None
        for path, member in members(value, *self.path.split(".")):
            first = member if first is None else first
            if member != first:
                yield Finding("must be the same in all", path=path)

    def describe(self) -> str:
        """Return the rule."""
        return f"`{self.path.removeprefix('*.')}` is the same in all"


@dataclass(frozen=True)
class Condition:
    """A rule with its own sentence and its own generator of findings."""

    sentence: str
    find: Callable[[Any], Findings]

    def check(self, value: Any) -> Findings:
        """Yield what the generator yields."""
        return self.find(value)

    def describe(self) -> str:
        """Return the sentence."""
        return self.sentence


@dataclass(frozen=True)
class AlwaysWarn:
    """A warning that holds for every such object."""

    sentence: str

    def check(self, _: object) -> Findings:
        """Yield the warning."""
        yield warning(self.sentence)

    def describe(self) -> str:
        """Return the warning."""
        return f"{self.sentence} (a warning)"


def title_of_each(what: str) -> Condition:
    """Return the rule that several sections need titles; one needs none, though a page of Meta's says so."""

    def find(sections: object) -> Findings:
        found = [section for _, section in members(sections, "*")]
        for index, section in enumerate(found):
            if len(found) > 1 and isinstance(section, dict) and section.get("title") is None:
                yield Finding(f"is required where there is more than one {what}", path=(index, "title"))

    return Condition(f"each {what} has a `title` where there is more than one", find)
