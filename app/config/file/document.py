"""The config file as plain data: YAML or JSON by its extension, read strictly.

YAML's aliases, anchors, tags and merge keys are refused, as are deep nesting and endless numbers: a config must not
expand or run anything. Numbers keep their text, and mappings their repeated keys, for error messages.
"""

import json
import math
from pathlib import Path
from typing import NoReturn

from app.config.errors import InvalidValue, Problems
from app.config.file.files import NO_FILE, read_regular_file
from app.config.file.yaml_document import MAX_DEPTH, read_yaml, too_deep
from app.config.schema.written import WrittenFloat, WrittenInt, WrittenMapping
from app.config.start_options import CONFIG

MAX_BYTES = 256 * 1024
WRITE_ONE = (
    f"`flask wats setup` or `flask wats init` writes one, and {CONFIG.flag} (or {CONFIG.variable}) names another"
)


def read_document(path: Path) -> object:
    """Return the file's content. Raises `InvalidValue` for anything that is not plain data."""
    if path.suffix not in (".yaml", ".yml", ".json"):
        raise InvalidValue("unknown_extension", "the file must end in .yaml, .yml or .json")
    try:
        content = read_regular_file(path, max_bytes=MAX_BYTES)
    except InvalidValue as error:
        if error.code != NO_FILE:
            raise
        raise InvalidValue(NO_FILE, f"{error.message}; {WRITE_ONE}") from error
    try:
        text = content.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValue("not_utf8", "the file is not UTF-8") from error
    return _read_json(text) if path.suffix == ".json" else read_yaml(text)


def report_repeated_keys(node: object, problems: Problems) -> None:
    """Add a problem for each repeated key of a mapping."""
    for key in node.repeated if isinstance(node, WrittenMapping) else ():
        problems.at(key).add("duplicate_key", "this key is repeated")
    for key, child in node.items() if isinstance(node, dict) else ():
        report_repeated_keys(child, problems.at(str(key)))
    for index, child in enumerate(node if isinstance(node, list) else ()):
        report_repeated_keys(child, problems.item(index))


def _read_json(text: str) -> object:
    try:
        document = json.loads(
            text,
            object_pairs_hook=WrittenMapping.of,
            parse_int=_written_int,
            parse_float=_written_float,
            parse_constant=_no_constant,
        )
    except RecursionError as error:
        raise too_deep() from error
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise InvalidValue("invalid_json", f"not valid JSON{f' (line {line})' if line else ''}") from error
    _refuse_depth(document)
    return document


def _refuse_depth(document: object) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
    if any(isinstance(node, dict | list) for node in level):
        raise too_deep()


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _written_int(text: str) -> WrittenInt:
    return WrittenInt.of(text, int(text))


def _written_float(text: str) -> WrittenFloat:
    if math.isinf(float(text)):
        raise InvalidValue("bad_number", "a number is too large")
    return WrittenFloat.of(text, float(text))


def _no_constant(text: str) -> NoReturn:
    raise InvalidValue("bad_number", f"JSON has no number {text}")
