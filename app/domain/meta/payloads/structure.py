"""Checkers of objects and arrays. A table of a message is made of them: a field is a key and its checker."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from app.domain.meta.payloads.findings import Finding, Findings, Path, Severity, below, json_type, nearest, strict
from app.domain.meta.payloads.values import Checker

NULL = strict("must not be null", "leave the field out")


class Rule(Protocol):
    """A rule between several fields of an object, or several items of an array."""

    def check(self, value: Any) -> Findings:
        """Yield what is wrong between the fields. Each may hold anything: its own checker checks it."""
        ...

    def describe(self) -> str:
        """Return the rule as a sentence without its full stop."""
        ...


@dataclass(frozen=True)
class Anything:
    """Any JSON value."""

    def check(self, _: object) -> Findings:
        """Yield nothing."""
        yield from ()

    def describe(self) -> str:
        """Return that nothing is checked."""
        return "any value; it is not checked"


ANYTHING = Anything()


@dataclass(frozen=True)
class Object:
    """An object with these fields. Any other key is refused, with the nearest one that there is.

    `misplaced` has hints for keys that people write here and that belong elsewhere. `others` checks the values of
    further keys, where any key is allowed.
    """

    required: Mapping[str, Checker] = field(default_factory=dict)
    optional: Mapping[str, Checker] = field(default_factory=dict)
    misplaced: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    others: Checker | None = None

    @property
    def keys(self) -> set[str]:
        """The keys that it may have."""
        return {*self.required, *self.optional}

    def check(self, value: object) -> Findings:
        """Yield what is wrong with each field, then between them."""
        if not isinstance(value, dict):
            yield Finding(f"must be an object, not {json_type(value)}")
            return
        for key in self.required:
            if value.get(key) is None:
                yield Finding("is required", path=(key,))
        for key, member in value.items():
            for finding in self._findings_in(key, member):
                yield finding.below(key)
        for rule in self.rules:
            yield from rule.check(value)

    def with_common(self, common: "Object") -> "Object":
        """Return the object with these fields and rules before its own."""
        return Object(
            required={**common.required, **self.required},
            optional={**common.optional, **self.optional},
            misplaced={**common.misplaced, **self.misplaced},
            rules=(*common.rules, *self.rules),
            others=self.others,
        )

    def _findings_in(self, key: str, member: object) -> Iterable[Finding]:
        checker = self.required.get(key) or self.optional.get(key) or self.others
        if checker is None:
            hint = self.misplaced.get(key) or partial(nearest, key, self.keys)
            return (strict("is not a field that is allowed here", hint),)
        if member is not None:
            return checker.check(member)
        return () if key in self.required else (NULL,)

    def describe(self) -> str:
        """Return the type."""
        return "an object"


@dataclass(frozen=True)
class OwnLimit:
    """A limit that is ours, because Meta publishes none: it does not hold where a body is only passed on to Meta."""

    checker: Checker

    def check(self, value: object) -> Findings:
        """Yield what is wrong, as left to Meta."""
        for finding in self.checker.check(value):
            yield replace(finding, severity=Severity.STRICT) if finding.severity == Severity.WRONG else finding

    def describe(self) -> str:
        """Return the limit."""
        return self.checker.describe()


@dataclass(frozen=True)
class Either:
    """A value of one of two forms."""

    first: Checker
    second: Checker

    def check(self, value: object) -> Findings:
        """Yield one finding if it has neither form."""
        if any(self.first.check(value)) and any(self.second.check(value)):
            yield Finding(f"must be {self.describe()}")

    def describe(self) -> str:
        """Return both forms."""
        return f"{self.first.describe()}; or {self.second.describe()}"


@dataclass(frozen=True)
class ListOf:
    """An array of `min` to `max` items. Items beyond `max` are not read."""

    item: Checker
    min: int
    max: int
    rules: tuple[Rule, ...] = ()

    def check(self, value: object) -> Findings:
        """Yield what is wrong with the number of items, with each, then between them."""
        if not isinstance(value, list):
            yield Finding(f"must be {self.describe()}, not {json_type(value)}")
            return
        if not self.min <= len(value) <= self.max:
            yield Finding(f"must be {self.describe()}; it has {len(value)}")
        items = value[: self.max]
        for index, item in enumerate(items):
            yield from below(self.item.check(item), index)
        for rule in self.rules:
            yield from rule.check(items)

    def describe(self) -> str:
        """Return the limits."""
        least = "" if self.min == self.max else f"{self.min} to " if self.min else "at most "
        return f"an array of {least}{self.max} item{'s' * (self.max != 1)}"


def members(value: object, *keys: str) -> Iterator[tuple[Path, Any]]:
    """Yield the values at a path in a body of any form, each with its exact place: `members(body, "a", "*", "b")`.

    `*` stands for every item of an array. What is missing or of another type is passed over.
    """
    if not keys:
        yield (), value
        return
    key, *rest = keys
    steps: list[tuple[str | int, Any]] = []
    if key == "*" and isinstance(value, list):
        steps = list(enumerate(value))
    elif isinstance(value, dict) and key in value:
        steps = [(key, value[key])]
    for step, inner in steps:
        for path, found in members(inner, *rest):
            yield (step, *path), found
