"""The settings: everything that a start decides, read once and passed down as plain frozen values.

A secret's value is never part of a `repr`, so that no log line, traceback or debugger prints one by accident.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from app.domain.subscription import Ours


class Mode(StrEnum):
    """The two ways to run. Dry-run needs no Meta account and opens no connection to Meta."""

    DRY_RUN = "dry-run"
    LIVE = "live"


@dataclass(frozen=True)
class Secret:
    """A secret by the name of its variable; while it rotates, the previous one is accepted beside it."""

    name: str
    current: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)

    @property
    def active(self) -> tuple[str, ...]:
        """Every accepted value; the first one signs."""
        return (self.current,) if self.previous is None else (self.current, self.previous)


@dataclass(frozen=True)
class Graph:
    api_version: str
    base_url: str


@dataclass(frozen=True)
class WhatsApp:
    """`waba_id` is the account that is used for Graph calls; `waba_ids` holds it and the profile's other accounts."""

    waba_id: str
    waba_ids: tuple[str, ...]
    phone_number_ids: tuple[str, ...]

    @property
    def ours(self) -> "Ours":
        """The accounts and numbers whose events are delivered."""
        from app.domain.subscription import Ours  # only where events are delivered; it slows every command's start

        return Ours(frozenset(self.waba_ids), frozenset(self.phone_number_ids))


@dataclass(frozen=True)
class Webhook:
    path: str
    verify_token: Secret
    app_secret: Secret
    max_body_bytes: int


Scope = Literal["send", "read", "graph", "operate"]
SCOPES: tuple[Scope, ...] = ("send", "read", "graph", "operate")


@dataclass(frozen=True)
class ServiceToken:
    """A bearer token of the API and what it may do. The profile's `bearerToken` may do everything."""

    name: str
    token: Secret
    scopes: frozenset[Scope]


@dataclass(frozen=True)
class WebhookSigning:
    """The settings for posting a webhook as Meta does: the ids in it, its URL, and the secret that signs it."""

    whatsapp: WhatsApp
    path: str
    app_secret: Secret


@dataclass(frozen=True)
class Service:
    host: str
    port: int
    api_prefix: str
    tokens: tuple[ServiceToken, ...]
    public_url: str | None = None

    def media_url(self, media_id: str) -> str | None:
        """Return where others get the bytes of a file from the gateway; None if its public URL is not known."""
        return self.public_url and f"{self.public_url}{self.api_prefix}/media/{media_id}/content"


@dataclass(frozen=True)
class Storage:
    """`url` is a secret as a whole: it is never printed. `source` is the variable or setting that it came from.

    `min_free_megabytes` counts for SQLite's disk.
    """

    url: str = field(repr=False)
    source: str
    kind: Literal["sqlite", "postgresql"]
    min_free_megabytes: int


@dataclass(frozen=True)
class Header:
    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Destination:
    name: str
    url: str
    secret: Secret
    format: Literal["events", "meta"]
    types: tuple[str, ...]
    phone_number_ids: tuple[str, ...]
    headers: tuple[Header, ...]
    ordering: Literal["none", "conversation"]
    timeout_seconds: int
    max_in_flight: int
    operator_events: bool


@dataclass(frozen=True)
class Sending:
    messages_per_second: int
    pair_burst: int
    pair_seconds: int
    window_policy: Literal["off", "warn", "enforce"]
    message_lifetime_hours: int
    idempotency_days: int
    unknown_alert_minutes: int
    events: tuple[str, ...]


@dataclass(frozen=True)
class MediaFolderSettings:
    """Where received media are kept; `fetch_on_arrival`: whether they are fetched by themselves."""

    fetch_on_arrival: bool
    directory: Path


@dataclass(frozen=True)
class Worker:
    threads: int
    lease_seconds: int


@dataclass(frozen=True)
class StartSettings:
    """The settings from the start options: flags and variables, not the config file.

    `grace_seconds`: how long a stop may take; for the first `drain_seconds` of it web processes still take requests.
    `exports_spans`: to OpenTelemetry. `run_dir` is for the health check. `counter_folder` is where this run counts; a
    parent hands it to its children.
    `start_variables` are the start options as the environment in which a child process loads these very settings.
    """

    paas: bool
    env_file: Path | None
    data_dir: Path
    run_dir: Path | None
    web_processes: int
    grace_seconds: int
    drain_seconds: int
    exports_spans: bool
    metrics_dir: Path | None
    counter_folder: Path | None
    push_anywhere: bool
    start_variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Settings(StartSettings):
    """One profile, resolved: every default is filled in and every secret is read.

    `warnings` are for the operator who starts the gateway; none of them holds a secret. `generated_secrets` are those
    that a dry-run made at random, by variable; they are printed once. Neither counts when settings are compared: a
    child process is handed the secrets and generates none. `fake_meta`: switches of a dry-run's fake Meta, by name.
    """

    mode: Mode
    profile: str
    config_path: Path
    graph: Graph
    whatsapp: WhatsApp
    access_token: Secret | None
    webhook: Webhook
    service: Service
    storage: Storage
    destinations: tuple[Destination, ...]
    sending: Sending
    worker: Worker
    log_contacts: Literal["hashed", "plain", "none"]
    retention_days: int
    media: MediaFolderSettings
    fake_meta: tuple[tuple[str, Any], ...]
    warnings: tuple[str, ...] = field(compare=False)
    generated_secrets: tuple[tuple[str, str], ...] = field(repr=False, compare=False)

    @property
    def secret_values(self) -> tuple[str, ...]:
        """The values that must be kept out of logs."""
        webhook = self.webhook
        secrets = [webhook.verify_token, webhook.app_secret, *(token.token for token in self.service.tokens)]
        secrets += [destination.secret for destination in self.destinations]
        secrets += [self.access_token] if self.access_token is not None else []
        headers = [header.value for destination in self.destinations for header in destination.headers]
        return (*(value for secret in secrets for value in secret.active), *headers, self.storage.url)
