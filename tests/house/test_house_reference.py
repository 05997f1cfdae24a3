"""The reference is complete: every event type, setting and variable has its entry; and each setting is read."""

import ast
import re

from app.config.schema.keys import DESTINATION, SECTIONS, TOKEN
from app.config.start_options import OPTIONS
from app.web.examples import CHANGES, example_events
from tests.support.serving import ROOT

DOCS, APP = ROOT / "docs", ROOT / "app"
IN_CODE = {
    "bearerToken": "tokens",
    "days": "retentionDays",
    "phoneNumberId": "phoneNumberIds",
}
"""Settings that have another name in the code."""

EVENTS = (DOCS / "events.md").read_text()
CONFIGURE = (DOCS / "configure.md").read_text()


def test_every_event_type_has_its_entry_and_its_line_in_the_contents() -> None:
    types = {*CHANGES, *(event.type for event in example_events().values())}

    assert {type_ for type_ in types if f"\n### {type_}\n" not in EVENTS} == set()
    assert {type_ for type_ in types if f"[{type_}](#" not in EVENTS.partition("## Contents")[2]} == set()


def test_every_setting_has_its_entry() -> None:
    lists = {"service.tokens[]": TOKEN, "destinations[]": DESTINATION}
    paths = [f"{section}.{key}" for section, keys in (SECTIONS | lists).items() for key in keys]

    assert [path for path in paths if f"| `profiles.NAME.{path}` |" not in CONFIGURE] == []


def test_every_variable_has_its_entry() -> None:
    variables = [option.variable for option in OPTIONS if option.variable and option.help]

    assert [variable for variable in variables if f"| `{variable}` |" not in CONFIGURE] == []


def test_something_reads_each_setting() -> None:
    """Outside of the package that reads the file; by the setting's name, or by that of what it is a part of."""
    sources = [path for path in APP.rglob("*.py") if path.relative_to(APP).parts[0] != "config"]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    keys = {key for section in (*SECTIONS.values(), TOKEN, DESTINATION) for key in section}

    names = {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", IN_CODE.get(key, key)) for key in keys}
    assert names - read == set()
