"""Live mode's secrets: every one that the profile names is read, and all missing ones are reported together."""

import re
from dataclasses import dataclass
from pathlib import Path

from app.config.errors import InvalidValue, Problems
from app.config.schema.databases import database_url
from app.config.schema.references import EnvRef, SecretRef
from app.config.secrets.lookup import Sources, check_standard_webhooks_secret
from app.config.settings import Header, Secret

DEFAULT_FILE = "wats.sqlite3"


@dataclass(frozen=True)
class LiveSecrets:
    """Resolves a profile's references for live mode."""

    sources: Sources
    data_dir: Path

    def access_token(self, ref: SecretRef, problems: Problems) -> Secret | None:
        return self.sources.secret(ref, problems)

    def verify_token(self, ref: SecretRef, problems: Problems) -> Secret:
        return self.sources.secret(ref, problems)

    def app_secret(self, ref: SecretRef, problems: Problems) -> Secret:
        return self.sources.secret(ref, problems)

    def service_token(self, ref: SecretRef, problems: Problems) -> Secret:
        return self.sources.secret(ref, problems)

    def extra_token(self, _name: str, ref: SecretRef, problems: Problems) -> Secret:
        return self.sources.secret(ref, problems)

    def destination(self, _name: str, ref: SecretRef, problems: Problems) -> Secret:
        secret = self.sources.secret(ref, problems)
        check_standard_webhooks_secret(secret, problems)
        return secret

    def header(self, name: str, value: str | SecretRef, problems: Problems) -> Header:
        return Header(name, value if isinstance(value, str) else self.sources.header(value, problems))

    def numeric_id(self, value: str | EnvRef, problems: Problems) -> str:
        if isinstance(value, str):
            return value
        given = self.sources.value(value.env, problems) or ""
        if given and not re.fullmatch(r"[0-9]{1,20}", given, re.ASCII):
            problems.add("bad_id", f"{value.env} must hold 1 to 20 digits")
        return given

    def database(self, value: str | SecretRef | None, problems: Problems) -> str:
        if not isinstance(value, SecretRef):
            return literal_database(value, self.data_dir)
        given = self.sources.value(value.env, problems)
        try:
            return database_url(given) if given else ""
        except InvalidValue as invalid:
            problems.add(invalid.code, f"{value.env}: {invalid.message}")
            return ""


def literal_database(value: str | None, data_dir: Path) -> str:
    """Return the config's literal URL, or that of the default file."""
    return f"sqlite:///{data_dir / DEFAULT_FILE}" if value is None else database_url(value)
