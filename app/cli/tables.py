"""Print answers: tables for people, JSON for machines. Text from outside cannot control the terminal.

On a terminal a time is shown as "3 min ago".
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from app.cli.times import for_people, is_time
from app.config import start_environment


def print_json(answer: Any) -> None:
    """Print as JSON."""
    click.echo(json.dumps(answer, indent=2))


def print_page(page: Mapping[str, Any], columns: Sequence[str], *, nothing: str) -> None:
    """Print a page of a list, and the option that shows the next page."""
    print_table(page["items"], columns, nothing=nothing)
    if page["nextCursor"] and page["items"]:
        click.echo(f"next page: --cursor {page['nextCursor']}", err=True)


def print_object(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one object, as JSON or with a line for each field."""
    if as_json:
        print_json(record)
    else:
        print_record(record)


def print_record(record: Mapping[str, Any]) -> None:
    """Print one object, with a line for each field."""
    width = max(map(len, record), default=0)
    for name, value in record.items():
        click.echo(f"{name:<{width}}  {_cell(name, value)}")


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, nothing: str = "") -> None:
    """Print these columns of each row, aligned. Without rows, print `nothing` on standard error."""
    if not rows:
        click.echo(nothing, err=True)
        return
    lines = [list(columns), *([_cell(column, row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows, of which there is at least one: as JSON, or as a table of all their columns."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, list(rows[0]))


def print_cells(row: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Print these columns of one row, unaligned, because the widths of later rows are not known yet."""
    click.echo("  ".join(_cell(column, row.get(column)) for column in columns))


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_time(name, value):
        value = for_people(value)
    return escape_for_terminal(json.dumps(value) if isinstance(value, dict | list) else str(value))


def styled(text: str, colour: str) -> str:
    """Return a text in a colour where standard output is a terminal that may have colours (https://no-color.org)."""
    return click.style(text, fg=colour) if sys.stdout.isatty() and not start_environment().get("NO_COLOR") else text


def escape_for_terminal(text: str) -> str:
    """Return the text with control characters escaped, if it has any."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
