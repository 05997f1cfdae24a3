"""Decode a receipt's bytes as JSON that can always be encoded again."""

import json
import math
from typing import Any

MAX_DEPTH = 100
"""Deepest nesting of a body. Meta uses less than a fifth of it, and the JSON parsers of receivers have limits too."""


class Unreadable(Exception):
    """A body that is not a JSON object. The message says why."""


def read_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object in these bytes, or raise Unreadable.

    Integers stay exact. Numbers outside of JSON (`NaN`, `Infinity`, `1e999`) become strings.
    """
    try:
        decoded = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Unreadable("not JSON") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:  # int() refuses more than 4300 digits
        raise Unreadable("an integer with too many digits") from error
    if not isinstance(decoded, dict):
        raise Unreadable("not a JSON object")
    if _is_too_deep(decoded):
        raise Unreadable("nested too deeply")
    return decoded


def _float_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


_DECODER = json.JSONDecoder(parse_float=_float_or_text, parse_constant=str)


def _is_too_deep(decoded: dict[str, Any]) -> bool:
    level: list[Any] = [decoded]
    for _ in range(MAX_DEPTH):
        containers = [node.values() if isinstance(node, dict) else node for node in level]
        level = [child for children in containers for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True
