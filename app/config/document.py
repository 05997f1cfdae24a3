"""The config file as plain data: YAML or JSON by its extension, without anything that surprises.

YAML's aliases, anchors, tags and merge keys are refused, as are duplicate keys and deep nesting: a config that
can expand or run something is no config. Numbers remember how they were written.
"""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from app.config.files import read_regular_file
from app.config.mistakes import Bad

LIMIT_BYTES = 256 * 1024
LIMIT_DEPTH = 20

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class WrittenInt(int):
    """An integer that knows how it was written, so that a message can show it in quotes."""

    written: str

    @classmethod
    def of(cls, text: str, value: int) -> "WrittenInt":
        number = cls(value)
        number.written = text
        return number


def read_document(path: Path) -> object:
    """The file's content. Raises `Bad` for anything that is not plain data."""
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise Bad("unknown_extension", "the file must end in .yaml, .yml or .json")
    content = read_regular_file(path, limit=LIMIT_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Bad("not_utf8", "the file is not UTF-8") from error
    return _read_json(text) if path.suffix == ".json" else _read_yaml(text)


def _read_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_int=_written_int, parse_constant=_no_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise Bad("invalid_json", f"not valid JSON{_line(getattr(error, 'lineno', None))}") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise _duplicate(key)
        seen[key] = value
    return seen


def _written_int(text: str) -> WrittenInt:
    return WrittenInt.of(text, int(text))


def _no_constant(text: str) -> NoReturn:
    raise Bad("invalid_json", f"{text} is no JSON")


def _read_yaml(text: str) -> object:
    try:
        _refuse_what_surprises(text)
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader with less in it
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise Bad("invalid_yaml", f"not valid YAML{_line(line)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Bad("invalid_yaml", "not valid YAML") from error


def _refuse_what_surprises(text: str) -> None:
    """Walk the events, which needs no recursion, before anything is built from them."""
    depth = documents = 0
    for event in yaml.parse(text, _Base):
        depth += _step(event)
        documents += isinstance(event, yaml.DocumentStartEvent)
        where = _line(event.start_mark.line + 1)
        if depth > LIMIT_DEPTH:
            raise _too_deep()
        if documents > 1:
            raise Bad("several_documents", f"one document is enough{where}")
        if getattr(event, "anchor", None) is not None:
            raise Bad("alias_or_anchor", f"aliases and anchors are refused{where}")
        if getattr(event, "tag", None) is not None:
            raise Bad("yaml_tag", f"tags are refused{where}")


def _step(event: yaml.Event) -> int:
    opens = isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
    closes = isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent)
    return int(opens) - int(closes)


class _Loader(_Base):  # type: ignore[valid-type, misc]
    """PyYAML's safe loader, which would keep the last of two equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ARG002
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            where = _line(key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                raise Bad("bad_key", f"keys are plain names, and merge keys are refused{where}")
            if key_node.value in mapping:
                raise _duplicate(key_node.value)
            mapping[key_node.value] = self.construct_object(value_node, deep=True)
        return mapping

    def construct_written_int(self, node: yaml.ScalarNode) -> WrittenInt:
        return WrittenInt.of(node.value, self.construct_yaml_int(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_written_int)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def _duplicate(key: str) -> Bad:
    return Bad("duplicate_key", f"the key {key[:60]!r} stands twice in one place")


def _too_deep() -> Bad:
    return Bad("too_deep", f"nested deeper than {LIMIT_DEPTH} levels")


def _line(number: int | None) -> str:
    return "" if number is None else f" (line {number})"
