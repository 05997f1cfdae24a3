"""YAML as plain data: PyYAML's safe loader, restricted further."""

import math
import re

import yaml

from app.config.errors import InvalidValue
from app.config.schema.written import WrittenFloat, WrittenInt, WrittenMapping

MAX_DEPTH = 20

REASONS = {
    "cannot start any token": "a tab in the indentation, or a value that begins with @, % or `: use blanks or quotes",
    "could not find expected ':'": "a key without its colon, here or in the line before",
    "found unexpected end of stream": "a quote is not closed",
    "expected ',' or '}'": "a brace { is not closed, or a comma is missing",
    "expected ',' or ']'": "a bracket [ is not closed, or a comma is missing",
    "did not find expected key": "the indentation does not fit to that above",
    "expected <block end>": "the indentation does not fit to that above",
    "mapping values are not allowed": "a colon inside a value, which needs quotes, or the indentation does not fit",
    "unknown escape character": "a backslash between double quotes: use single ones",
}
"""Explanations of the parser's messages for the author of the file."""

_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_MAX_MARK_LENGTH = len("','")

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> object:
    """Return the one document in this text. Raises `InvalidValue` for anything that is not plain data."""
    try:
        _refuse_special_yaml(text)
        return yaml.load(text, _Loader)  # noqa: S506 - a restricted safe loader
    except yaml.MarkedYAMLError as error:
        raise InvalidValue("invalid_yaml", f"not valid YAML: {_reason(error)}") from error
    except yaml.reader.ReaderError as error:
        line = text.encode("utf-8", "surrogatepass")[: error.position].count(b"\n")
        raise InvalidValue("invalid_yaml", f"not valid YAML: it contains a control character{_at(line)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidValue("invalid_yaml", "not valid YAML") from error


def too_deep() -> InvalidValue:
    """Return the refusal of a document with more levels than a config has."""
    return InvalidValue("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _refuse_special_yaml(text: str) -> None:
    """Raise `InvalidValue` for what is not plain data. Walking the events needs no recursion and builds nothing."""
    depth = documents = 0
    for event in yaml.parse(text, _Base):
        depth += _step(event)
        documents += isinstance(event, yaml.DocumentStartEvent)
        where = _at(event.start_mark.line if event.start_mark else None)
        if depth > MAX_DEPTH:
            raise too_deep()
        if documents > 1:
            raise InvalidValue("several_documents", f"only one document is allowed{where}")
        if getattr(event, "anchor", None) is not None:
            raise InvalidValue("alias_or_anchor", f"aliases and anchors are refused{where}")
        if getattr(event, "tag", None) is not None:
            raise InvalidValue("yaml_tag", f"tags are refused{where}")


def _step(event: yaml.Event) -> int:
    opens = isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
    closes = isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent)
    return int(opens) - int(closes)


class _Loader(_Base):  # type: ignore[valid-type, misc]
    """PyYAML's safe loader, which by itself keeps only the last of two equal keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> WrittenMapping:  # noqa: ARG002
        return WrittenMapping.of(
            (_key(key_node), self.construct_object(value_node, deep=True)) for key_node, value_node in node.value
        )

    def construct_plain_map(self, node: yaml.MappingNode) -> WrittenMapping:
        return self.construct_mapping(node)

    def construct_written_int(self, node: yaml.ScalarNode) -> WrittenInt:
        try:
            return WrittenInt.of(node.value, self.construct_yaml_int(node))
        except ValueError as error:
            raise InvalidValue(
                "bad_number", f"a number is malformed, or too long{_at(node.start_mark.line)}"
            ) from error

    def construct_written_float(self, node: yaml.ScalarNode) -> WrittenFloat:
        value = self.construct_yaml_float(node)
        if not math.isfinite(value):
            raise InvalidValue("bad_number", f"a number must be finite{_at(node.start_mark.line)}")
        return WrittenFloat.of(node.value, value)


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_plain_map)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_written_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_written_float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def _reason(error: yaml.MarkedYAMLError) -> str:
    """Return the parser's error with its line, and with the line where the mistake began if that is another.

    What the parser quotes of the file is left out: that may be a secret.
    """
    problem = error.problem or "it cannot be parsed"
    cause = next((words for part, words in REASONS.items() if part in problem), None)
    if cause is None:
        cause = _QUOTED.sub(lambda quoted: quoted[0] if len(quoted[0]) <= _MAX_MARK_LENGTH else "…", problem)
    at, begins = error.problem_mark, error.context_mark
    line = None if at is None else at.line
    since = f", begun in line {begins.line + 1}" if begins is not None and begins.line != line else ""
    return f"{cause}{_at(line)}{since}"


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:merge":
        raise InvalidValue("bad_key", f"keys are plain names, and merge keys are refused{_at(node.start_mark.line)}")
    return str(node.value)


def _at(line: int | None) -> str:
    return "" if line is None else f" (line {line + 1})"
