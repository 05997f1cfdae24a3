"""A start option is declared once: its flag and variable are spelled in one table, and everything else follows it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from app.cli.serve import serve_command
from app.cli.status import status_command
from app.cli.worker import worker_command
from app.config import Flags
from app.config.errors import Problems
from app.config.option_types import Credential, HostName, OneOf
from app.config.start.values import read_values
from app.config.start_options import HANDED_DOWN, OPTIONS, Commands, StartOption
from docs.configure_tables import variable_rows

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "app" / "config" / "start_options.py"
SOURCES = [path for path in [*(ROOT / "app").rglob("*.py"), ROOT / "gunicorn.conf.py"] if path != TABLE]
VARIABLES = re.compile("|".join(rf"\b{option.variable}\b" for option in OPTIONS if option.variable))
FLAGS = {option.flag for option in OPTIONS if option.flag}
PREVIEW = "--dry-run"
"""Of `init` and others it means: show what would be done."""

OTHER_FLAGS = {
    ("init.py", "--profile"),
    ("master.py", "--config"),
    ("__main__.py", "--token"),
}
"""Flags of the same name that are no start options: those of `init`, of gunicorn, and of the fake Meta."""

COMMANDS = {
    Commands.EVERY: (serve_command, worker_command, status_command),
    Commands.START: (serve_command, worker_command),
    Commands.SERVE: (serve_command,),
    Commands.CLIENT: (status_command,),
    Commands.START_OR_CLIENT: (serve_command, worker_command, status_command),
    Commands.NONE: (),
}


def strings(path: Path) -> Iterator[str]:
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_a_variable_is_spelled_in_the_table_and_nowhere_else():
    found = [(path.name, text) for path in SOURCES for text in strings(path) if VARIABLES.search(text)]

    assert found == []


def test_a_flag_is_spelled_in_the_table_and_nowhere_else():
    found = {(path.name, text) for path in SOURCES for text in strings(path) if text in FLAGS - {PREVIEW}}

    assert found == OTHER_FLAGS


@pytest.mark.parametrize("option", [each for each in OPTIONS if each.flag], ids=lambda option: option.flag)
def test_the_commands_of_an_option_take_its_flag_and_no_others_do(option: StartOption[Any]):
    takers = {command for command in {*sum(COMMANDS.values(), ())} if option.flag in flags_of(command)}

    assert takers == set(COMMANDS[option.commands])


def flags_of(command: click.Command) -> list[str]:
    return [name for parameter in command.params for name in parameter.opts]


def text_for(option: StartOption[Any]) -> str:
    """A text that the option's variable may hold."""
    if isinstance(option.type, OneOf):
        return option.type.words[0]
    return "localhost" if isinstance(option.type, HostName) else "1"


READ = [option for option in OPTIONS if option.variable and not isinstance(option.type, Credential)]


@pytest.mark.parametrize("option", READ, ids=lambda option: option.variable)
def test_an_option_is_read_from_its_variable(option: StartOption[Any]):
    values = read_values(Flags(), {option.variable: text_for(option)}, Problems())

    assert values.source(option) == f"environment {option.variable}"


def test_a_parent_hands_down_what_it_was_given():
    environ = {option.variable: text_for(option) for option in HANDED_DOWN}

    handed = read_values(Flags(), environ, Problems()).as_variables()

    assert handed == environ


def test_every_variable_that_an_operator_may_set_is_documented():
    documented = {name for name, *_ in variable_rows()}

    assert documented == {
        option.variable for option in OPTIONS if option.variable and option.commands is not Commands.NONE
    }
