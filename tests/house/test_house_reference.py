"""The reference is complete: every event type, setting and variable has its entry; and each setting is read."""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from app.config import start_options
from app.config.schema.keys import DESTINATION, SECTIONS, TOKEN
from app.config.settings import (
    Destination,
    Graph,
    MediaFolderSettings,
    Sending,
    Service,
    ServiceToken,
    Settings,
    Storage,
    Webhook,
    WhatsApp,
    Worker,
)
from app.config.start_options import OPTIONS, StartOption
from app.web.examples import CHANGES, example_events
from tests.support.serving import ROOT

DOCS, APP = ROOT / "docs", ROOT / "app"
LISTS = {"service.tokens[]": TOKEN, "destinations[]": DESTINATION}
CLASSES: Mapping[str, type] = {
    "graph": Graph,
    "whatsapp": WhatsApp,
    "webhook": Webhook,
    "service": Service,
    "service.tokens[]": ServiceToken,
    "storage": Storage,
    "sending": Sending,
    "worker": Worker,
    "media": MediaFolderSettings,
    "destinations[]": Destination,
}
IN_CODE: Mapping[tuple[str, str], tuple[type, str]] = {
    ("auth", "accessToken"): (Settings, "access_token"),
    ("log", "contacts"): (Settings, "log_contacts"),
    ("retention", "days"): (Settings, "retention_days"),
    ("service", "bearerToken"): (Service, "tokens"),
    ("whatsapp", "phoneNumberId"): (WhatsApp, "phone_number_ids"),
}
"""Settings whose field is not named like them, or is one of the profile as a whole."""

NAMES: Mapping[type, set[str]] = {
    MediaFolderSettings: {"media"},
    ServiceToken: {"token", "caller"},
    WhatsApp: {"whatsapp"},
}
"""What a setting of a class is called; others are called like their class."""

EVENTS = (DOCS / "events.md").read_text()
CONFIGURE = (DOCS / "configure.md").read_text()


def test_every_event_type_has_its_entry_and_its_line_in_the_contents() -> None:
    types = {*CHANGES, *(event.type for event in example_events().values())}

    assert {type_ for type_ in types if f"\n### {type_}\n" not in EVENTS} == set()
    assert {type_ for type_ in types if f"[{type_}](#" not in EVENTS.partition("## Contents")[2]} == set()


def test_every_setting_has_its_entry() -> None:
    paths = [f"{section}.{key}" for section, keys in (SECTIONS | LISTS).items() for key in keys]

    assert [path for path in paths if f"| `profiles.NAME.{path}` |" not in CONFIGURE] == []


def test_every_variable_has_its_entry() -> None:
    variables = [option.variable for option in OPTIONS if option.variable and option.help]

    assert [variable for variable in variables if f"| `{variable}` |" not in CONFIGURE] == []


def test_something_reads_each_setting() -> None:
    """Outside of the package that reads the file: as a field of the class that holds it, not of any class."""
    read = {kind: fields_read(kind) for kind in {kind for kind, _ in (field_of(*each) for each in keys())}}

    unread = [f"{section}.{key}" for section, key in keys() if not is_read(section, key, read)]
    assert unread == []


def test_something_reads_each_variable() -> None:
    """By the name of its option: a variable is spelled in the table alone."""
    sources = [path for path in APP.rglob("*.py") if path.name != "start_options.py"]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text()))]
    named = {node.id for node in nodes if isinstance(node, ast.Name)}

    names = {name for name, option in vars(start_options).items() if isinstance(option, StartOption)}
    assert names - named == set()
    assert len(names) == len(OPTIONS)


def keys() -> list[tuple[str, str]]:
    sections = {name: keys for name, keys in SECTIONS.items() if name != "dryRun"}
    return [(name, key) for name, keys in (sections | LISTS).items() for key in keys]


def field_of(section: str, key: str) -> tuple[type, str]:
    """Return the class and the field that hold a setting."""
    return (
        IN_CODE.get((section, key), (CLASSES[section], snake(key))) if section in CLASSES else IN_CODE[section, key]
    )


def is_read(section: str, key: str, read: Mapping[type, set[str]]) -> bool:
    kind, field = field_of(section, key)
    assert field in {each.name for each in fields(kind)}
    return field in read[kind]


def fields_read(kind: type) -> set[str]:
    """Return the fields that are read of what a module calls by the class's name, or says to be of it."""
    return {
        attribute.attr
        for module in modules()
        for names in [NAMES.get(kind, {snake(kind.__name__).strip("_")}) | module.arguments.get(kind.__name__, set())]
        for attribute in module.attributes
        if last_word(attribute.value) in names
    } | {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(kind)))
        if isinstance(node, ast.Attribute) and last_word(node.value) == "self"
    }


@dataclass(frozen=True)
class Module:
    """What a module reads, and which of its arguments are of a class."""

    attributes: list[ast.Attribute]
    arguments: Mapping[str, set[str]]


@cache
def modules() -> list[Module]:
    """Return all modules but those of the package that reads the file."""
    found = []
    for path in APP.rglob("*.py"):
        if path.relative_to(APP).parts[0] != "config":
            nodes = list(ast.walk(ast.parse(path.read_text())))
            arguments: dict[str, set[str]] = defaultdict(set)
            for node in nodes:
                if isinstance(node, ast.arg) and node.annotation is not None:
                    arguments[ast.unparse(node.annotation).strip("'\"")].add(node.arg)
            found.append(Module([node for node in nodes if isinstance(node, ast.Attribute)], arguments))
    return found


def last_word(node: ast.AST) -> str:
    """Return the last name of what an attribute is read of: `webhook` of `self.settings.webhook`."""
    if isinstance(node, ast.Call):
        return last_word(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
