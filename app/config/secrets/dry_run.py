"""Dry-run's secrets: none of Meta's is looked up.

While only this machine can reach the gateway they are known placeholders. On any other address they are generated at
random and printed once, unless the environment gives them.
"""

import base64
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from app.config.errors import InvalidValue, Problems
from app.config.schema.databases import NamedDatabase, database_url, is_same_database, sqlite_url
from app.config.schema.references import EnvRef, SecretRef
from app.config.secrets.live import literal_database
from app.config.secrets.lookup import MAX_KEY_BYTES, MIN_KEY_BYTES, Sources, check_standard_webhooks_secret
from app.config.settings import Header, Secret
from app.config.start_options import (
    DATA_DIR,
    DRY_RUN_APP_SECRET,
    DRY_RUN_DATABASE_URL,
    DRY_RUN_SERVICE_TOKEN,
    DRY_RUN_VERIFY_TOKEN,
)
from app.domain.standard_webhooks import ENCODED

PLACEHOLDER_SERVICE_TOKEN = "dry-run-service-token"  # noqa: S105 - public, and accepted on loopback only
DEFAULT_FILE = "dry-run.sqlite3"
PLACEHOLDER_ID = "1000000000000001"


def placeholder_of_destination(name: str) -> str:
    """Return the secret of a destination in a dry-run: `dry-run-NAME-secret`, in the form of Standard Webhooks."""
    key = f"dry-run-{name}-secret".encode()[:MAX_KEY_BYTES].ljust(MIN_KEY_BYTES, b"-")
    return ENCODED + base64.b64encode(key).decode()


@dataclass
class DryRunSecrets:
    """Resolves a profile's references for dry-run. `generated` are the secrets made at random, by variable."""

    sources: Sources
    data_dir: Path
    on_loopback: bool
    generated: list[tuple[str, str]] = field(default_factory=list)

    def access_token(self, _ref: SecretRef, _problems: Problems) -> Secret | None:
        return None

    def verify_token(self, ref: SecretRef, problems: Problems) -> Secret:
        return self._stand_in(ref, DRY_RUN_VERIFY_TOKEN.variable, "dry-run-verify-token", problems)

    def app_secret(self, ref: SecretRef, problems: Problems) -> Secret:
        return self._stand_in(ref, DRY_RUN_APP_SECRET.variable, "dry-run-app-secret", problems)

    def service_token(self, ref: SecretRef, problems: Problems) -> Secret:
        return self._stand_in(ref, DRY_RUN_SERVICE_TOKEN.variable, PLACEHOLDER_SERVICE_TOKEN, problems)

    def extra_token(self, name: str, ref: SecretRef, problems: Problems) -> Secret:
        return self._stand_in(ref, ref.env, f"dry-run-{name}-token", problems)

    def destination(self, name: str, ref: SecretRef, problems: Problems) -> Secret:
        if self.sources.is_set(ref.env):
            previous = ref.previous if ref.previous and self.sources.is_set(ref.previous) else None
            secret = self.sources.secret(SecretRef(ref.env, previous), problems, live=False)
            check_standard_webhooks_secret(secret, problems)
            return secret
        placeholder = placeholder_of_destination(name)
        self.sources.origins[ref.env] = "dry-run placeholder"
        self.sources.warnings.append(f"{ref.env} is not set; pushes to {name} are signed with {placeholder}")
        return Secret(ref.env, placeholder)

    def header(self, name: str, value: str | SecretRef, problems: Problems) -> Header:
        if isinstance(value, str):
            return Header(name, value)
        if self.sources.is_set(value.env):
            return Header(name, self.sources.header(value, problems, live=False))
        return Header(name, "dry-run-placeholder")

    def numeric_id(self, value: str | EnvRef, problems: Problems) -> str:
        if isinstance(value, str):
            return value
        given = self.sources.environ.get(value.env, "")
        if re.fullmatch(r"[0-9]{1,20}", given, re.ASCII):
            return given
        self.sources.warnings.append(f"{value.env} is not set; {problems.path} is {PLACEHOLDER_ID}")
        return PLACEHOLDER_ID

    def database(self, value: str | SecretRef | None, problems: Problems) -> NamedDatabase:
        """Return the dry-run's own database, which is never the one that the profile names."""
        variable = DRY_RUN_DATABASE_URL.variable
        given = self.sources.environ.get(variable)
        default = sqlite_url(self.data_dir / DEFAULT_FILE)
        own = problems.named(variable).read(lambda: database_url(given) if given else default, "")
        live = self._live_database(value)
        if own and live and is_same_database(own, live):
            message = f"a dry-run never opens the live database, which {problems.path} names; name another one"
            problems.named(variable).add("live_database", message)
        return NamedDatabase(own, variable if given else DATA_DIR.variable)

    def _live_database(self, value: str | SecretRef | None) -> str | None:
        """Return the live database's URL, as far as it is known. It is read only to stay away from that database."""
        try:
            if not isinstance(value, SecretRef):
                return literal_database(value, self.data_dir, "").url
            given = self.sources.peek(value.env)
            return database_url(given) if given else None
        except InvalidValue:
            return None

    def _stand_in(self, ref: SecretRef, variable: str, placeholder: str, problems: Problems) -> Secret:
        """Return the secret that a dry-run uses for a reference: a given one, a placeholder or a generated one."""
        if self.sources.is_set(variable):
            self.sources.origins[ref.env] = f"dry-run: {variable}"
            return self.sources.secret(SecretRef(variable), problems.named(variable), live=False)
        if self.sources.is_empty(variable):
            self.sources.warnings.append(f"{variable} is set but empty, and counts as unset")
        if self.on_loopback:
            self.sources.origins[ref.env] = "dry-run placeholder"
            return Secret(variable, placeholder)
        self.sources.origins[ref.env] = "made at random for this run"
        value = secrets.token_urlsafe(24)
        self.generated.append((variable, value))
        return Secret(variable, value)
