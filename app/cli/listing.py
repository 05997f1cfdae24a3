"""Print a page of a list: a table for people, with the option that shows the next page; JSON for machines."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.cli.client import Client
from app.cli.tables import print_json, print_page
from app.config import ApiAccess

Row = Mapping[str, Any]


def print_list(
    access: ApiAccess,
    path: str,
    query: Mapping[str, Any],
    columns: Sequence[str],
    *,
    nothing: str,
    as_json: bool,
    row: Callable[[Row], Row] = lambda item: item,
) -> None:
    """Print a page of a list of the API. `row` makes the cells of an item; `nothing` is printed if there is none."""
    client = Client(access)
    if as_json:
        print_json(client.page(path, **query))
        return
    page = client.page_with_hint(path, **query)
    print_page({**page, "items": list(map(row, page["items"]))}, columns, nothing=nothing)
