"""Reads a receipt's bytes as JSON, so that what comes out can always be written as JSON again."""

import json
import math
from typing import Any

DEEPEST = 100
"""How deep a body may be nested. Meta's are not a fifth as deep, and each later reader has a limit of its own."""


class Unreadable(Exception):
    """A body that cannot be read as a JSON object; the message says why."""


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Integers stay exact; numbers that JSON cannot tell become strings."""
    try:
        read = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Unreadable("not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Unreadable("not JSON") from error
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:  # what int() says to more than 4300 digits
        raise Unreadable("an integer with too many digits") from error
    if not isinstance(read, dict):
        raise Unreadable("not a JSON object")
    if _is_too_deep(read):
        raise Unreadable("nested too deeply")
    return read


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=str)


def _is_too_deep(read: dict[str, Any]) -> bool:
    level: list[Any] = [read]
    for _ in range(DEEPEST):
        insides = [node.values() if isinstance(node, dict) else node for node in level]
        level = [inner for inside in insides for inner in inside if isinstance(inner, dict | list)]
        if not level:
            return False
    return True
