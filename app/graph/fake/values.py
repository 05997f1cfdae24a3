"""Read values of a request as Graph does: a missing one is 131008, a wrong one 131009, an unknown key 100."""

from collections.abc import Collection
from typing import Any

from app.graph.fake.refusals import refuse

Json = dict[str, Any]


def only(value: Json, path: str, allowed: Collection[str]) -> None:
    """Refuse keys that Graph does not know."""
    unknown = sorted(set(value) - set(allowed))
    if unknown:
        raise refuse("invalid_parameter", f'Unexpected key "{unknown[0]}" on param "{path or "message"}".')


def of_object(parent: Json, key: str, path: str = "", allowed: Collection[str] | None = None) -> Json:
    """Return an object that must be there."""
    value = present(parent, key, path)
    if not isinstance(value, dict):
        raise wrong(path, key, "must be an object")
    if allowed is not None:
        only(value, _inner(path, key), allowed)
    return value


def of_list(parent: Json, key: str, path: str, least: int, most: int) -> list[Any]:
    """Return a list that must be there, of a size between these."""
    value = present(parent, key, path)
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise wrong(path, key, f"must be an array of {least} to {most} elements")
    return value


def of_objects(parent: Json, key: str, path: str, least: int, most: int) -> list[tuple[str, Json]]:
    """Return the objects of a list that must be there, each with its path."""
    found = []
    for position, each in enumerate(of_list(parent, key, path, least, most)):
        if not isinstance(each, dict):
            raise wrong(path, f"{key}[{position}]", "must be an object")
        found.append((_inner(path, f"{key}[{position}]"), each))
    return found


def of_text(parent: Json, key: str, path: str, most: int) -> str:
    """Return a text that must be there and must not be blank."""
    value = present(parent, key, path)
    if not isinstance(value, str):
        raise wrong(path, key, "must be a string")
    if not value.strip():
        raise refuse("missing", f"The parameter {_inner(path, key)} is required.")
    if len(value) > most:
        raise wrong(path, key, f"must be at most {most} characters long")
    return value


def maybe_text(parent: Json, key: str, path: str, most: int) -> str | None:
    """Return a text that may be missing."""
    return of_text(parent, key, path, most) if key in parent else None


def of_choice(parent: Json, key: str, path: str, allowed: Collection[str]) -> str:
    """Return a word of a closed set, in lower case."""
    value = of_text(parent, key, path, 100)
    if value.lower() not in allowed:
        raise wrong(path, key, f'must be one of {{{", ".join(sorted(allowed))}}} - got "{value}"')
    return value.lower()


def of_number(parent: Json, key: str, path: str, least: float, most: float) -> float:
    """Return a number, or a text that is one, between these."""
    value = present(parent, key, path)
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None or not least <= number <= most:
        raise wrong(path, key, f"must be a number from {least:g} to {most:g}")
    return number


def of_truth(parent: Json, key: str, path: str) -> bool:
    """Return true or false; false if it is missing."""
    value = parent.get(key, False)
    if not isinstance(value, bool):
        raise wrong(path, key, "must be a boolean")
    return value


def present(parent: Json, key: str, path: str) -> Any:
    """Return a value that must be there."""
    if parent.get(key) is None:
        raise refuse("missing", f"The parameter {_inner(path, key)} is required.")
    return parent[key]


def wrong(path: str, key: str, what: str) -> Exception:
    """Return the refusal of a value."""
    return refuse("invalid_value", f"Param {_inner(path, key)} {what}.")


def _inner(path: str, key: str) -> str:
    return f"{path}['{key}']" if path else key
