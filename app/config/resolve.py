"""From an evaluated start to settings: every default filled in, every reference looked up."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from app.config.data_folder import refuse_unwritable_folder
from app.config.errors import ConfigError, Problems
from app.config.export import exports_spans, refuse_unusable_export
from app.config.file.profile import Profile
from app.config.hosts import is_loopback
from app.config.schema.keys import DRY_RUN
from app.config.secrets.dry_run import DryRunSecrets
from app.config.secrets.live import LiveSecrets
from app.config.secrets.lookup import Sources
from app.config.settings import (
    SCOPES,
    Destination,
    Graph,
    MediaFolderSettings,
    Mode,
    Sending,
    Service,
    ServiceToken,
    Settings,
    StartSettings,
    Storage,
    Webhook,
    WebhookSigning,
    WhatsApp,
    Worker,
)
from app.config.start.request import StartRequest
from app.config.start.values import StartValues
from app.config.start_options import (
    COUNTER_FOLDER,
    DATA_DIR,
    DRAIN_SECONDS,
    ENV_FILE,
    GRACE_SECONDS,
    HOST,
    METRICS_DIR,
    PAAS,
    PORT,
    PUSH,
    RUN_DIR,
    THREADS,
    WORKERS,
)
from app.config.warnings import warnings_about

Values = dict[str, Any]
Secrets = LiveSecrets | DryRunSecrets


def resolve(
    request: StartRequest, *, opens_store: bool = True, checks_export: bool = True
) -> tuple[Settings, Sources]:
    """Return the settings of a start, and where their secrets were found.

    `opens_store` is False for a command that needs no database, `checks_export` for one that exports no spans.
    Raises `ConfigError` with every problem of flags, variables, file, secrets and data folder together.
    """
    if request.profile is None or request.mode is None:
        raise ConfigError(request.problems.found)
    sources = Sources(request.environ, request.env_file)
    secrets = _secrets(request, sources)
    problems = request.problems.in_file(request.config_path).at("profiles").at(request.profile.name)
    settings = _settings(request, request.profile, request.mode, secrets, problems)
    if opens_store:
        refuse_unwritable_folder(settings, problems)
    if checks_export and settings.exports_spans:
        refuse_unusable_export(request.values, request.problems)
    problems.raise_if_any()
    return replace(settings, warnings=tuple(warnings_about(settings, request, request.profile, sources))), sources


def resolve_signing(request: StartRequest) -> WebhookSigning:
    """Return what is needed to post a webhook as Meta does. A secret that only the gateway needs may be missing."""
    if request.profile is None or request.mode is None:
        raise ConfigError(request.problems.found)
    secrets, sections = _secrets(request, Sources(request.environ, request.env_file)), request.profile.sections
    problems = request.problems.in_file(request.config_path).at("profiles").at(request.profile.name)
    signing = WebhookSigning(
        _whatsapp(sections["whatsapp"], secrets, problems.at("whatsapp")),
        sections["webhook"]["path"],
        secrets.app_secret(
            replace(sections["webhook"]["appSecret"], previous=None), problems.at("webhook").at("appSecret")
        ),
    )
    problems.raise_if_any()
    return signing


def _secrets(request: StartRequest, sources: Sources) -> Secrets:
    data_dir = request.values[DATA_DIR]
    if request.mode is Mode.LIVE:
        return LiveSecrets(sources, data_dir)
    return DryRunSecrets(sources, data_dir, on_loopback=is_loopback(request.values[HOST]))


def _settings(request: StartRequest, profile: Profile, mode: Mode, secrets: Secrets, problems: Problems) -> Settings:
    values, sections = request.values, profile.sections
    return Settings(
        **vars(_start_settings(values)),
        mode=mode,
        profile=profile.name,
        config_path=request.config_path,
        graph=Graph(sections["graph"]["apiVersion"], sections["graph"]["baseUrl"]),
        whatsapp=_whatsapp(sections["whatsapp"], secrets, problems.at("whatsapp")),
        access_token=secrets.access_token(sections["auth"]["accessToken"], problems.at("auth").at("accessToken")),
        webhook=_webhook(sections["webhook"], secrets, problems.at("webhook")),
        service=_service(request, sections["service"], secrets, problems.at("service")),
        storage=_storage(sections["storage"], secrets, problems.at("storage")),
        destinations=tuple(
            _destination(destination, secrets, problems.at("destinations").item(index))
            for index, destination in enumerate(profile.destinations)
        ),
        sending=_sending(sections["sending"]),
        worker=Worker(values[THREADS], sections["worker"]["leaseSeconds"]),
        log_contacts=sections["log"]["contacts"],
        retention_days=sections["retention"]["days"],
        media=_media(sections["media"], mode, values[DATA_DIR]),
        fake_meta=tuple((_snake(key), sections["dryRun"][key]) for key in DRY_RUN),
        warnings=(),
        generated_secrets=tuple(secrets.generated) if isinstance(secrets, DryRunSecrets) else (),
    )


def _start_settings(values: StartValues) -> StartSettings:
    return StartSettings(
        paas=values[PAAS],
        env_file=values[ENV_FILE],
        data_dir=values[DATA_DIR],
        run_dir=values[RUN_DIR],
        web_processes=values[WORKERS],
        grace_seconds=values[GRACE_SECONDS],
        drain_seconds=values[DRAIN_SECONDS],
        exports_spans=exports_spans(values),
        metrics_dir=values[METRICS_DIR],
        counter_folder=values[COUNTER_FOLDER],
        push_anywhere=values[PUSH],
        start_variables=tuple(values.as_variables().items()),
    )


def _snake(key: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key)


def _whatsapp(values: Values, secrets: Secrets, problems: Problems) -> WhatsApp:
    if values["phoneNumberIds"]:
        at_ids = problems.at("phoneNumberIds")
        numbers = [secrets.numeric_id(value, at_ids.item(at)) for at, value in enumerate(values["phoneNumberIds"])]
    else:
        numbers = [secrets.numeric_id(values["phoneNumberId"], problems.at("phoneNumberId"))]
    waba_id = secrets.numeric_id(values["wabaId"], problems.at("wabaId"))
    at_more = problems.at("wabaIds")
    more = [secrets.numeric_id(value, at_more.item(at)) for at, value in enumerate(values["wabaIds"])]
    return WhatsApp(waba_id, tuple(dict.fromkeys([waba_id, *more])), tuple(dict.fromkeys(numbers)))


def _webhook(values: Values, secrets: Secrets, problems: Problems) -> Webhook:
    return Webhook(
        path=values["path"],
        verify_token=secrets.verify_token(values["verifyToken"], problems.at("verifyToken")),
        app_secret=secrets.app_secret(values["appSecret"], problems.at("appSecret")),
        max_body_bytes=values["maxBodyBytes"],
    )


def _service(request: StartRequest, values: Values, secrets: Secrets, problems: Problems) -> Service:
    token = secrets.service_token(values["bearerToken"], problems.at("bearerToken"))
    tokens = [ServiceToken("bearerToken", token, frozenset(SCOPES))]
    for index, extra in enumerate(values["tokens"]):
        secret = secrets.extra_token(extra["name"], extra["token"], problems.at("tokens").item(index).at("token"))
        tokens.append(ServiceToken(extra["name"], secret, frozenset(extra["scopes"])))
    host, port = request.values[HOST], request.values[PORT]
    return Service(host, port, values["apiPrefix"], tuple(tokens), values["publicUrl"])


def _storage(values: Values, secrets: Secrets, problems: Problems) -> Storage:
    database = secrets.database(values["url"], problems.at("url"))
    kind: Literal["sqlite", "postgresql"] = "sqlite" if database.url.startswith("sqlite:") else "postgresql"
    return Storage(database.url, database.source, kind, values["minFreeMegabytes"])


TIMEOUT_SECONDS = {"events": 15, "meta": 45}
"""The default by format. A bot written for Meta may send before it answers, which takes up to 30 seconds."""


def _destination(values: Values, secrets: Secrets, problems: Problems) -> Destination:
    at_headers = problems.at("headers")
    return Destination(
        name=values["name"],
        url=values["url"],
        secret=secrets.destination(values["name"], values["secret"], problems.at("secret")),
        format=values["format"],
        types=values["types"],
        phone_number_ids=values["phoneNumberIds"],
        headers=tuple(secrets.header(name, value, at_headers.at(name)) for name, value in values["headers"]),
        ordering=values["ordering"],
        timeout_seconds=values["timeoutSeconds"] or TIMEOUT_SECONDS[values["format"]],
        max_in_flight=values["maxInFlight"],
        operator_events=values["operatorEvents"],
    )


def _media(values: Values, mode: Mode, data_dir: Path) -> MediaFolderSettings:
    """Return where media are kept: those of a dry-run never lie among real ones."""
    folder = data_dir / "dry-run-media" if mode is Mode.DRY_RUN else Path(values["directory"] or data_dir / "media")
    return MediaFolderSettings(values["fetchOnArrival"], folder.absolute())


def _sending(values: Values) -> Sending:
    return Sending(
        messages_per_second=values["messagesPerSecond"],
        pair_burst=values["pairBurst"],
        pair_seconds=values["pairSeconds"],
        window_policy=values["windowPolicy"],
        message_lifetime_hours=values["messageLifetimeHours"],
        idempotency_days=values["idempotencyDays"],
        unknown_alert_minutes=values["unknownAlertMinutes"],
        events=values["events"],
    )
