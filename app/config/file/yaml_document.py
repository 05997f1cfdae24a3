"""YAML as plain data: PyYAML's safe loader, restricted further."""

import math
import re

import yaml

from app.config.errors import InvalidValue
from app.config.schema.written import WrittenFloat, WrittenInt, WrittenMapping

MAX_DEPTH = 20

_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_LONGEST_MARK = len("','")

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> object:
    """Return the one document in this text. Raises `InvalidValue` for anything that is not plain data."""
    try:
        _refuse_special_yaml(text)
        return yaml.load(text, _Loader)  # noqa: S506 - a restricted safe loader
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line
        raise InvalidValue("invalid_yaml", f"not valid YAML: {_reason(error)}{_at(line)}") from error
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
        return WrittenInt.of(node.value, self.construct_yaml_int(node))

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
    """Return what the parser found wrong, without what it quotes of the file: that may be a secret."""
    problem = error.problem or "it cannot be parsed"
    return _QUOTED.sub(lambda quoted: quoted[0] if len(quoted[0]) <= _LONGEST_MARK else "…", problem)


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:merge":
        raise InvalidValue("bad_key", f"keys are plain names, and merge keys are refused{_at(node.start_mark.line)}")
    return str(node.value)


def _at(line: int | None) -> str:
    return "" if line is None else f" (line {line + 1})"
