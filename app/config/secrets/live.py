"""Live mode's secrets: every one that the profile names is read, and all missing ones are reported together."""

import re
from dataclasses import dataclass
from pathlib import Path

from app.config.errors import InvalidValue, Problems
from app.config.schema.databases import NamedDatabase, database_url, sqlite_url
from app.config.schema.references import EnvRef, SecretRef
from app.config.secrets.lookup import IN_QUOTES, Sources, check_standard_webhooks_secret, is_in_quotes
from app.config.settings import Header, Secret
from app.config.start_options import DATA_DIR

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
        given = value if isinstance(value, str) else self.sources.value(value.env, problems) or ""
        name = "this id" if isinstance(value, str) else value.env
        if given and not re.fullmatch(r"[0-9]{1,20}", given, re.ASCII):
            problems.add("bad_id", f"{name} {IN_QUOTES if is_in_quotes(given) else 'must hold 1 to 20 digits'}")
        elif given and not given.strip("0"):
            problems.add("placeholder_id", f"{name} is a placeholder of zeros; give it the id of Meta's dashboard")
        return given

    def database(self, value: str | SecretRef | None, problems: Problems) -> NamedDatabase:
        if not isinstance(value, SecretRef):
            return literal_database(value, self.data_dir, problems.path)
        given = self.sources.value(value.env, problems)
        if not given:
            return NamedDatabase("", value.env)
        try:
            return NamedDatabase(database_url(given), value.env)
        except InvalidValue as invalid:
            message = f" {IN_QUOTES}" if is_in_quotes(given) else f": {invalid.message}"
            problems.add(invalid.code, value.env + message)
            return NamedDatabase("", value.env)


def literal_database(value: str | None, data_dir: Path, path: str) -> NamedDatabase:
    """Return the database of a literal URL, which the config has at `path`; of None, the default file."""
    if value is None:
        return NamedDatabase(sqlite_url(data_dir / DEFAULT_FILE), DATA_DIR.variable)
    return NamedDatabase(database_url(value), path)
