"""Dry-run: none of Meta's secrets is looked up. While only this machine can reach it they are known placeholders;
elsewhere they are made at random and told once, unless they are given."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from app.config.mistakes import Bad, Mistake
from app.config.references import EnvRef, SecretRef
from app.config.secrets_live import absolute
from app.config.settings import Header, Secret
from app.config.sources import Sources
from app.config.urls import database_url

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

    def verify_token(self, _ref: SecretRef, _path: str) -> Secret:
        return self._given_or_made("WATS_DRY_RUN_VERIFY_TOKEN", "dry-run-verify-token")

    def app_secret(self, _ref: SecretRef, _path: str) -> Secret:
        return self._given_or_made("WATS_DRY_RUN_APP_SECRET", "dry-run-app-secret")

    def service_token(self, _ref: SecretRef, _path: str) -> Secret:
        return self._given_or_made("WATS_DRY_RUN_SERVICE_TOKEN", "dry-run-service-token")

    def extra_token(self, name: str, ref: SecretRef, _path: str) -> Secret:
        return self._given_or_made(ref.env, f"dry-run-{name}-token")

    def destination(self, name: str, ref: SecretRef, path: str) -> Secret:
        if self.sources.environ.get(ref.env) or self.sources.environ.get(f"{ref.env}_FILE"):
            return self.sources.secret(ref, path, live=False)
        placeholder = f"dry-run-{name}-secret"
        self.sources.notices.append(f"{ref.env} is not set; pushes to {name} are signed with {placeholder}")
        return Secret(ref.env, placeholder)

    def header(self, name: str, value: str | SecretRef, _path: str) -> Header:
        if isinstance(value, str):
            return Header(name, value)
        return Header(name, self.sources.environ.get(value.env) or "dry-run-placeholder")

    def numeric_id(self, value: str | EnvRef, path: str) -> str:
        if isinstance(value, str):
            return value
        given = self.sources.environ.get(value.env, "")
        if given.isascii() and given.isdigit():
            return given
        self.sources.notices.append(f"{value.env} is not set; {path} is {PLACEHOLDER_ID}")
        return PLACEHOLDER_ID

    def database(self, _value: str | SecretRef | None, _path: str) -> str:
        given = self.sources.environ.get(DATABASE_VARIABLE)
        if not given:
            return f"sqlite:///{self.data_dir / DEFAULT_FILE}"
        try:
            return absolute(database_url(given))
        except Bad as bad:
            self.sources.mistakes.append(Mistake(bad.code, DATABASE_VARIABLE, bad.message))
            return ""

    def _given_or_made(self, variable: str, placeholder: str) -> Secret:
        if self.sources.environ.get(variable) or self.sources.environ.get(f"{variable}_FILE"):
            return self.sources.secret(SecretRef(variable), variable, live=False)
        if self.on_loopback:
            return Secret(variable, placeholder)
        value = secrets.token_urlsafe(24)
        self.made.append((variable, value))
        return Secret(variable, value)
