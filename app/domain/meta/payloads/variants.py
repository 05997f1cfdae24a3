"""The checker of an object whose fields depend on a word in it, such as `type`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol

from app.domain.message import MAX_TYPE_LENGTH
from app.domain.meta.payloads.findings import (
    Finding,
    Findings,
    json_type,
    nearest,
    printable,
    quoted,
    strict,
)
from app.domain.meta.payloads.structure import ANYTHING, Object
from app.domain.meta.payloads.values import Checker


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
class Variants:
    """An object whose fields depend on the word at one key, such as `type`.

    `common` has the fields that every case has. Where a case's word is also the key of its content, as in
    `{"type": "image", "image": {…}}`, the content of another case beside it is refused. `wrong_words` has hints for
    words that people write and that are no case; `default` is the case of an object without the tag.
    """

    tag: str
    cases: Mapping[str, Part]
    common: Object = field(default_factory=Object)
    any_case: bool = False
    wrong_words: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

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
        word = value.get(self.tag, self.default)
        name = word.lower() if self.any_case and isinstance(word, str) else word
        if isinstance(name, str) and name in self.cases:
            yield from self._whole[name].check(value)
        else:
            yield self._wrong_word(word).below(self.tag)
            rest = {key: member for key, member in value.items() if key != self.tag}
            yield from replace(self.common, others=ANYTHING).check(rest)

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
        if not isinstance(word, str):
            return Finding(f"must be {quoted(sorted(self.cases))}")
        if len(word) > MAX_TYPE_LENGTH:
            return Finding(f"must have at most {MAX_TYPE_LENGTH} characters", f"write {quoted(sorted(self.cases))}")
        hint = self.wrong_words.get(word.lower()) or partial(nearest, word, set(self.cases))
        return strict(f"must not be `{printable(word)}`", hint)

    def describe(self) -> str:
        """Return the type."""
        return f"an object, by its `{self.tag}`"
