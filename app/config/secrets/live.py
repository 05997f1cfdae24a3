"""Live: every secret that the profile names is read, and all that are missing are told together."""

import re
from dataclasses import dataclass
from pathlib import Path

from app.config.errors import ConfigProblem, InvalidValue
from app.config.schema.databases import database_url
from app.config.schema.references import EnvRef, SecretRef
from app.config.secrets.lookup import Sources, check_standard_webhooks_secret
from app.config.settings import Header, Secret

DEFAULT_FILE = "wats.sqlite3"


@dataclass
class LiveSecrets:
    """Resolves a profile's references for live mode."""

    sources: Sources
    data_dir: Path

    def access_token(self, ref: SecretRef, path: str) -> Secret | None:
        return self.sources.secret(ref, path)

    def verify_token(self, ref: SecretRef, path: str) -> Secret:
        return self.sources.secret(ref, path)

    def app_secret(self, ref: SecretRef, path: str) -> Secret:
        return self.sources.secret(ref, path)

    def service_token(self, ref: SecretRef, path: str) -> Secret:
        return self.sources.secret(ref, path)

    def extra_token(self, _name: str, ref: SecretRef, path: str) -> Secret:
        return self.sources.secret(ref, path)

    def destination(self, _name: str, ref: SecretRef, path: str) -> Secret:
        secret = self.sources.secret(ref, path)
        self.sources.problems += check_standard_webhooks_secret(secret, path)
        return secret

    def header(self, name: str, value: str | SecretRef, path: str) -> Header:
        return Header(name, value if isinstance(value, str) else self.sources.header(value, path))

    def numeric_id(self, value: str | EnvRef, path: str) -> str:
        if isinstance(value, str):
            return value
        found = self.sources.value(value.env, path) or ""
        if found and not re.fullmatch(r"[0-9]{1,20}", found, re.ASCII):
            self.sources.problems.append(ConfigProblem("bad_id", path, f"{value.env} must hold 1 to 20 digits"))
        return found

    def database(self, value: str | SecretRef | None, path: str) -> str:
        if not isinstance(value, SecretRef):
            return literal_database(value, self.data_dir)
        found = self.sources.value(value.env, path)
        try:
            return database_url(found) if found else ""
        except InvalidValue as bad:
            self.sources.problems.append(ConfigProblem(bad.code, path, f"{value.env}: {bad.message}"))
            return ""


def literal_database(value: str | None, data_dir: Path) -> str:
    """The database that the config names outright, or by saying nothing."""
    return f"sqlite:///{data_dir / DEFAULT_FILE}" if value is None else database_url(value)
