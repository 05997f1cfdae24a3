"""Dry-run: none of Meta's secrets is looked up. While only this machine can reach it they are known placeholders;
elsewhere they are made at random and told once, unless they are given."""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from app.config.errors import ConfigProblem, InvalidValue
from app.config.schema.databases import database_url, is_same_database
from app.config.schema.references import EnvRef, SecretRef
from app.config.secrets.live import literal_database
from app.config.secrets.lookup import Sources, check_standard_webhooks_secret
from app.config.settings import Header, Secret

SERVICE_TOKEN_VARIABLE = "WATS_DRY_RUN_SERVICE_TOKEN"  # noqa: S105 - the name of a variable
PLACEHOLDER_SERVICE_TOKEN = "dry-run-service-token"  # noqa: S105 - known to everybody, on loopback only
DEFAULT_FILE = "dry-run.sqlite3"
PLACEHOLDER_ID = "1000000000000001"
DATABASE_VARIABLE = "WATS_DRY_RUN_DATABASE_URL"


@dataclass
class DryRunSecrets:
    """Stands in for a profile's references. `made` are the secrets made at random, by variable."""

    sources: Sources
    data_dir: Path
    on_loopback: bool
    made: list[tuple[str, str]] = field(default_factory=list)

    def access_token(self, _ref: SecretRef, _path: str) -> Secret | None:
        return None

    def verify_token(self, ref: SecretRef, _path: str) -> Secret:
        return self._stand_in(ref, "WATS_DRY_RUN_VERIFY_TOKEN", "dry-run-verify-token")

    def app_secret(self, ref: SecretRef, _path: str) -> Secret:
        return self._stand_in(ref, "WATS_DRY_RUN_APP_SECRET", "dry-run-app-secret")

    def service_token(self, ref: SecretRef, _path: str) -> Secret:
        return self._stand_in(ref, SERVICE_TOKEN_VARIABLE, PLACEHOLDER_SERVICE_TOKEN)

    def extra_token(self, name: str, ref: SecretRef, _path: str) -> Secret:
        return self._stand_in(ref, ref.env, f"dry-run-{name}-token")

    def destination(self, name: str, ref: SecretRef, path: str) -> Secret:
        if self.sources.is_set(ref.env):
            previous = ref.previous if ref.previous and self.sources.is_set(ref.previous) else None
            secret = self.sources.secret(SecretRef(ref.env, previous), path, live=False)
            self.sources.problems += check_standard_webhooks_secret(secret, path)
            return secret
        placeholder = f"dry-run-{name}-secret"
        self.sources.origins[ref.env] = "dry-run placeholder"
        self.sources.warnings.append(f"{ref.env} is not set; pushes to {name} are signed with {placeholder}")
        return Secret(ref.env, placeholder)

    def header(self, name: str, value: str | SecretRef, path: str) -> Header:
        if isinstance(value, str):
            return Header(name, value)
        if self.sources.is_set(value.env):
            return Header(name, self.sources.header(value, path, live=False))
        return Header(name, "dry-run-placeholder")

    def numeric_id(self, value: str | EnvRef, path: str) -> str:
        if isinstance(value, str):
            return value
        given = self.sources.environ.get(value.env, "")
        if re.fullmatch(r"[0-9]{1,20}", given, re.ASCII):
            return given
        self.sources.warnings.append(f"{value.env} is not set; {path} is {PLACEHOLDER_ID}")
        return PLACEHOLDER_ID

    def database(self, value: str | SecretRef | None, path: str) -> str:
        """The dry-run's own database; never the one that the profile names."""
        given = self.sources.environ.get(DATABASE_VARIABLE)
        try:
            own = database_url(given) if given else f"sqlite:///{self.data_dir / DEFAULT_FILE}"
        except InvalidValue as bad:
            self.sources.problems.append(bad.at(DATABASE_VARIABLE))
            return ""
        live = self._live_database(value)
        if live is not None and is_same_database(own, live):
            message = f"a dry-run never opens the live database, which {path} names; name another one"
            self.sources.problems.append(ConfigProblem("live_database", DATABASE_VARIABLE, message))
        return own

    def _live_database(self, value: str | SecretRef | None) -> str | None:
        """Where live data is, as far as the environment tells; looked at only to keep away from it."""
        try:
            if not isinstance(value, SecretRef):
                return literal_database(value, self.data_dir)
            found = self.sources.peek(value.env)
            return database_url(found) if found else None
        except InvalidValue:
            return None

    def _stand_in(self, ref: SecretRef, variable: str, placeholder: str) -> Secret:
        if self.sources.is_set(variable):
            self.sources.origins[ref.env] = f"dry-run: {variable}"
            return self.sources.secret(SecretRef(variable), variable, live=False)
        if self.on_loopback:
            self.sources.origins[ref.env] = "dry-run placeholder"
            return Secret(variable, placeholder)
        self.sources.origins[ref.env] = "made at random for this run"
        value = secrets.token_urlsafe(24)
        self.made.append((variable, value))
        return Secret(variable, value)
