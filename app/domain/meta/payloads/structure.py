"""Checkers of objects and arrays. A table of a message is made of them: a field is a key and its checker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

from app.domain.meta.payloads.findings import (
    MAX_KEY_LENGTH,
    Finding,
    Findings,
    below,
    json_type,
    printable,
    quoted,
    strict,
)
from app.domain.meta.payloads.values import Checker

NULL = strict("must not be null", "leave the field out")


class Rule(Protocol):
    """What must hold between several fields of an object, or several items of an array."""

    def check(self, value: Any) -> Findings:
        """Yield what is wrong. The fields may hold anything: their own checkers tell."""
        ...

    def describe(self) -> str:
        """Return the rule as a sentence without its full stop."""
        ...


class Part(Checker, Protocol):
    """An object with known keys: what a case of `Variants` may be."""

    @property
    def keys(self) -> set[str]:
        """The keys that it may have."""
        ...

    def with_common(self, common: "Object") -> "Part":
        """Return the part with these fields and rules before its own."""
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
    further keys, where any key may stand.
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
            yield from below(self._check_member(key, member), key)
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

    def _check_member(self, key: str, member: object) -> Findings:
        checker = self.required.get(key) or self.optional.get(key) or self.others
        if checker is None:
            yield strict("is not a field that may stand here", self.misplaced.get(key) or nearest(key, self.keys))
        elif member is not None:
            yield from checker.check(member)
        elif key not in self.required:
            yield NULL

    def describe(self) -> str:
        """Return the type."""
        return "an object"


@dataclass(frozen=True)
class ListOf:
    """An array of so many items. Items beyond the limit are not read."""

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
        if self.min == self.max:
            return f"an array of {self.min} item{'s' * (self.min != 1)}"
        return f"an array of {self.min} to {self.max} items"


@dataclass(frozen=True)
class Variants:
    """An object whose fields depend on the word at one key, such as `type`.

    `common` has the fields that every case has. Where a case's word is also the key of its content, as in
    `{"type": "image", "image": {…}}`, the content of another case beside it is refused. `wrong_words` has hints for
    words that people write and that are no case.
    """

    tag: str
    cases: Mapping[str, Part]
    common: Object = field(default_factory=Object)
    any_case: bool = False
    wrong_words: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """The keys that it may have."""
        return {self.tag, *self.common.keys}.union(*(case.keys for case in self.cases.values()))

    def with_common(self, common: Object) -> "Variants":
        """Return the variants with these fields and rules in every case."""
        return replace(self, common=self.common.with_common(common))

    def check(self, value: object) -> Findings:
        """Yield what is wrong with the word, and with the fields of its case; of a wrong word, the common fields."""
        if not isinstance(value, dict):
            yield Finding(f"must be an object, not {json_type(value)}")
            return
        word = value.get(self.tag)
        name = word.lower() if self.any_case and isinstance(word, str) else word
        if isinstance(name, str) and name in self.cases:
            yield from self._whole[name].check(value)
        else:
            yield self._wrong_word(word).below(self.tag)
            yield from replace(self._with_tag, others=ANYTHING).check(value)

    @cached_property
    def _with_tag(self) -> Object:
        return replace(self.common, optional={self.tag: ANYTHING, **self.common.optional})

    @cached_property
    def _whole(self) -> dict[str, Part]:
        """Each case with the common fields, and with a hint for the content of each other case."""
        return {
            name: case.with_common(replace(self._with_tag, misplaced=self._contents_beside(name, case)))
            for name, case in self.cases.items()
        }

    def _contents_beside(self, name: str, case: Part) -> dict[str, str]:
        known = case.keys | self.common.keys
        hints = {
            other: f"`{self.tag}` is `{name}`: leave it out, or set `{self.tag}` to `{other}`"
            for other in self.cases.keys() - known
        }
        return {**hints, **self.common.misplaced}

    def _wrong_word(self, word: object) -> Finding:
        if word is None:
            return Finding("is required", f"write {quoted(sorted(self.cases))}")
        if not isinstance(word, str) or len(word) > MAX_KEY_LENGTH:
            return Finding(f"must be {quoted(sorted(self.cases))}")
        hint = self.wrong_words.get(word.lower()) or nearest(word, set(self.cases))
        return strict(f"must not be `{printable(word)}`", hint)

    def describe(self) -> str:
        """Return the type."""
        return f"an object, by its `{self.tag}`"


def nearest(word: str, known: set[str]) -> str | None:
    """Return a hint that names the known word which a mistyped one may stand for, else all of them."""
    plain = {_plain(each): each for each in sorted(known)}
    if len(word) <= MAX_KEY_LENGTH:
        for close in get_close_matches(_plain(word), plain, n=1):
            return f"did you mean `{plain[close]}`?"
    return f"known here: {', '.join(f'`{each}`' for each in sorted(known))}" if known else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def members(value: object, *keys: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield what stands at a path in a body of any form, with its exact place: `members(body, "a", "*", "b")`.

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
