"""A profile made into settings: every default filled in, every reference looked up, nothing left to ask."""

from dataclasses import replace
from typing import Any

from app.config.errors import ConfigError
from app.config.file.profile import Profile
from app.config.schema.hosts import is_loopback
from app.config.secrets.dry_run import DryRunSecrets
from app.config.secrets.live import LiveSecrets
from app.config.secrets.lookup import Sources
from app.config.settings import (
    SCOPES,
    Destination,
    Graph,
    Mode,
    Sending,
    Service,
    ServiceToken,
    Settings,
    Storage,
    Webhook,
    WhatsApp,
    Worker,
)
from app.config.start.request import StartRequest
from app.config.warnings import warnings_about

Secrets = LiveSecrets | DryRunSecrets
DEFAULT_WEB_PROCESSES = 2
DEFAULT_GRACE_SECONDS = 25


def resolve(request: StartRequest) -> tuple[Settings, Sources]:
    """The settings of a start. Raises `ConfigError` with every problem of file, gates and secrets together."""
    host, port = request.host(), request.port()
    sources = Sources(request.environ, request.env_file())
    if request.profile is None or request.mode is None:
        raise ConfigError(request.problems)
    secrets = _secrets(request, sources, on_loopback=is_loopback(str(host.value)))
    settings = _settings(request, request.profile, request.mode, secrets)
    settings = replace(settings, service=replace(settings.service, host=str(host.value), port=int(port.value)))
    if problems := (*request.problems, *(problem.in_file(request.config_path) for problem in sources.problems)):
        raise ConfigError(problems)
    return replace(settings, warnings=tuple(warnings_about(settings, request, request.profile, sources))), sources


def _secrets(request: StartRequest, sources: Sources, *, on_loopback: bool) -> Secrets:
    data_dir = request.variables.data_dir.absolute()
    if request.mode is Mode.LIVE:
        return LiveSecrets(sources, data_dir)
    return DryRunSecrets(sources, data_dir, on_loopback)


def _settings(request: StartRequest, profile: Profile, mode: Mode, secrets: Secrets) -> Settings:
    at = f"profiles.{profile.name}"
    section = profile.sections
    return Settings(
        mode=mode,
        profile=profile.name,
        config_path=request.config_path,
        paas=request.paas,
        env_file=request.env_file_path(),
        data_dir=request.variables.data_dir.absolute(),
        graph=Graph(section["graph"]["apiVersion"], section["graph"]["baseUrl"]),
        whatsapp=_whatsapp(section["whatsapp"], secrets, f"{at}.whatsapp"),
        access_token=secrets.access_token(section["auth"]["accessToken"], f"{at}.auth.accessToken"),
        webhook=_webhook(section["webhook"], secrets, f"{at}.webhook"),
        service=_service(section["service"], secrets, f"{at}.service"),
        storage=_storage(section["storage"], secrets, f"{at}.storage"),
        destinations=_destinations(profile, secrets, f"{at}.destinations"),
        sending=_sending(section["sending"]),
        worker=_worker(section["worker"], request),
        retention_days=section["retention"]["days"],
        fetch_media_on_arrival=section["media"]["fetchOnArrival"],
        web_processes=request.flags.workers or request.variables.workers or DEFAULT_WEB_PROCESSES,
        grace_seconds=request.variables.grace_seconds or DEFAULT_GRACE_SECONDS,
        push_anywhere=request.flags.push or request.variables.push,
        warnings=(),
        generated_secrets=tuple(secrets.made) if isinstance(secrets, DryRunSecrets) else (),
    )


def _whatsapp(values: dict[str, Any], secrets: Secrets, at: str) -> WhatsApp:
    several = values["phoneNumberIds"]
    slots = (
        [(f"{at}.phoneNumberIds[{number}]", value) for number, value in enumerate(several)]
        if several
        else [(f"{at}.phoneNumberId", values["phoneNumberId"])]
    )
    numbers = dict.fromkeys(secrets.numeric_id(value, path) for path, value in slots)
    return WhatsApp(secrets.numeric_id(values["wabaId"], f"{at}.wabaId"), tuple(numbers))


def _webhook(values: dict[str, Any], secrets: Secrets, at: str) -> Webhook:
    return Webhook(
        path=values["path"],
        verify_token=secrets.verify_token(values["verifyToken"], f"{at}.verifyToken"),
        app_secret=secrets.app_secret(values["appSecret"], f"{at}.appSecret"),
        max_body_bytes=values["maxBodyBytes"],
    )


def _service(values: dict[str, Any], secrets: Secrets, at: str) -> Service:
    token = secrets.service_token(values["bearerToken"], f"{at}.bearerToken")
    tokens = [ServiceToken("bearerToken", token, frozenset(SCOPES))]
    for number, extra in enumerate(values["tokens"]):
        secret = secrets.extra_token(extra["name"], extra["token"], f"{at}.tokens[{number}].token")
        tokens.append(ServiceToken(extra["name"], secret, frozenset(extra["scopes"])))
    return Service(values["host"], values["port"], values["apiPrefix"], tuple(tokens))


def _storage(values: dict[str, Any], secrets: Secrets, at: str) -> Storage:
    url = secrets.database(values["url"], f"{at}.url")
    kind = "sqlite" if url.startswith("sqlite:") else "postgresql"
    return Storage(url, kind, values["minFreeMegabytes"])  # type: ignore[arg-type]


def _destinations(profile: Profile, secrets: Secrets, at: str) -> tuple[Destination, ...]:
    return tuple(
        _destination(values, secrets, f"{at}[{number}]") for number, values in enumerate(profile.destinations)
    )


def _destination(values: dict[str, Any], secrets: Secrets, at: str) -> Destination:
    return Destination(
        name=values["name"],
        url=values["url"],
        secret=secrets.destination(values["name"], values["secret"], f"{at}.secret"),
        format=values["format"],
        types=values["types"],
        phone_number_ids=values["phoneNumberIds"],
        headers=tuple(secrets.header(name, value, f"{at}.headers.{name}") for name, value in values["headers"]),
        ordering=values["ordering"],
        timeout_seconds=values["timeoutSeconds"],
        max_in_flight=values["maxInFlight"],
        operator_events=values["operatorEvents"],
    )


def _sending(values: dict[str, Any]) -> Sending:
    return Sending(
        messages_per_second=values["messagesPerSecond"],
        pair_burst=values["pairBurst"],
        pair_seconds=values["pairSeconds"],
        window_policy=values["windowPolicy"],
        message_lifetime_hours=values["messageLifetimeHours"],
        idempotency_days=values["idempotencyDays"],
        unknown_alert_minutes=values["unknownAlertMinutes"],
    )


def _worker(values: dict[str, Any], request: StartRequest) -> Worker:
    threads = request.flags.threads or request.variables.threads or values["threads"]
    return Worker(threads, values["leaseSeconds"])
