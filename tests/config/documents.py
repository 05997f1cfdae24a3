"""Config documents for the tests: a good one, and ways to spoil it."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.config.errors import ConfigError, Problems
from app.config.file.document import read_document
from app.config.file.profile import Document, read_profiles

P = "profiles.p"
GONE = object()
CRM = {"name": "crm", "url": "http://crm:8080/hooks", "secret": {"env": "CRM_SECRET"}}
TOKEN = {"name": "reader", "token": {"env": "READER_TOKEN"}, "scopes": ["read"]}
GOOD: dict[str, Any] = {
    "version": 1,
    "defaultProfile": "p",
    "profiles": {
        "p": {
            "whatsapp": {"wabaId": "1234567890", "phoneNumberId": "9876543210"},
            "auth": {"accessToken": {"env": "ACCESS_TOKEN"}},
            "webhook": {"verifyToken": {"env": "VERIFY_TOKEN"}, "appSecret": {"env": "APP_SECRET"}},
            "service": {"bearerToken": {"env": "SERVICE_TOKEN"}},
        }
    },
}


def with_change(path: str, value: object) -> dict[str, Any]:
    """The good config with one value set, or taken away, at a dotted path."""
    config = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    node = config
    for key in parents:
        node = node.setdefault(key, {})
    if value is GONE:
        node.pop(last, None)
    else:
        node[last] = value
    return config


def profiles_of(content: object) -> Document:
    """Return the profiles of a file's content. Raises `ConfigError` with every problem."""
    problems = Problems()
    document = read_profiles(content, problems)
    problems.raise_if_any()
    return document


def problems_of(config: dict[str, Any], folder: Path) -> set[tuple[str, str]]:
    """Return code and path of every problem of a config that was written to a file."""
    path = write(config, folder)
    with pytest.raises(ConfigError) as caught:
        profiles_of(read_document(path))
    return {(problem.code, problem.path) for problem in caught.value.problems}


def write(config: object, folder: Path) -> Path:
    """The config as a YAML file in this folder."""
    path = folder / "wats.config.yaml"
    path.write_text(yaml.dump(config, Dumper=PlainDumper))
    return path


class PlainDumper(yaml.SafeDumper):
    """Writes equal objects twice, not as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def crm(**changes: object) -> list[dict[str, object]]:
    return [{**CRM, **changes}]


def token(**changes: object) -> list[dict[str, object]]:
    return [{**TOKEN, **changes}]
