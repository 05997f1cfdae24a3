"""A profile made into settings: every default filled in, every reference looked up, nothing left to ask."""

from dataclasses import replace
from typing import Any

from app.config.launch import Launch
from app.config.mistakes import ConfigError
from app.config.profile import Profile
from app.config.references import SecretRef
from app.config.secrets_dry_run import DryRunSecrets
from app.config.secrets_live import DEFAULT_FILE, LiveSecrets
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
from app.config.sources import Sources
from app.config.urls import is_loopback

Secrets = LiveSecrets | DryRunSecrets
META_MEGABYTES = 3 * 1024 * 1024


def resolve(launch: Launch) -> tuple[Settings, Sources]:
    """The settings of a start. Raises `ConfigError` with every mistake of file, gates and secrets together."""
    host, port = launch.host(), launch.port()
    sources = Sources(launch.environ, launch.env_file())
    settings = None
    if launch.profile is not None and launch.mode is not None:
        secrets = _secrets(launch, sources, on_loopback=is_loopback(str(host.value)))
        settings = _settings(launch, launch.profile, launch.mode, secrets)
        settings = replace(settings, service=replace(settings.service, host=str(host.value), port=int(port.value)))
    mistakes = (*launch.mistakes, *sources.mistakes)
    if mistakes or settings is None:
        raise ConfigError(mistakes)
    return replace(settings, notices=(*launch.notices, *sources.notices, *_notices(settings, launch))), sources


def _secrets(launch: Launch, sources: Sources, *, on_loopback: bool) -> Secrets:
    data_dir = launch.variables.data_dir.absolute()
    if launch.mode is Mode.LIVE:
        return LiveSecrets(sources, data_dir)
    return DryRunSecrets(sources, data_dir, on_loopback)


def _settings(launch: Launch, profile: Profile, mode: Mode, secrets: Secrets) -> Settings:
    at = f"profiles.{profile.name}"
    section = profile.sections
    return Settings(
        mode=mode,
        profile=profile.name,
        config_path=launch.config_path,
        paas=launch.paas,
        env_file=launch.flags.env_file or launch.variables.env_file,
        data_dir=launch.variables.data_dir.absolute(),
        graph=Graph(section["graph"]["apiVersion"], section["graph"]["baseUrl"]),
        whatsapp=_whatsapp(section["whatsapp"], secrets, f"{at}.whatsapp"),
        access_token=secrets.access_token(section["auth"]["accessToken"], f"{at}.auth.accessToken"),
        webhook=_webhook(section["webhook"], secrets, f"{at}.webhook"),
        service=_service(section["service"], secrets, f"{at}.service"),
        storage=_storage(section["storage"], secrets, f"{at}.storage"),
        destinations=tuple(
            _destination(values, secrets, f"{at}.destinations[{number}]")
            for number, values in enumerate(profile.destinations)
        ),
        sending=_sending(section["sending"]),
        worker=Worker(
            launch.flags.threads or launch.variables.threads or section["worker"]["threads"],
            section["worker"]["leaseSeconds"],
        ),
        retention_days=section["retention"]["days"],
        fetch_media_on_arrival=section["media"]["fetchOnArrival"],
        web_processes=launch.flags.workers or launch.variables.workers,
        grace_seconds=launch.variables.grace_seconds,
        push_anywhere=launch.flags.push or launch.variables.push,
        notices=(),
        made_secrets=tuple(secrets.made) if isinstance(secrets, DryRunSecrets) else (),
    )


def _whatsapp(values: dict[str, Any], secrets: Secrets, at: str) -> WhatsApp:
    numbers = values["phoneNumberIds"] or [values["phoneNumberId"]]
    return WhatsApp(
        secrets.numeric_id(values["wabaId"], f"{at}.wabaId"),
        tuple(secrets.numeric_id(number, f"{at}.phoneNumberId") for number in numbers),
    )


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


def _notices(settings: Settings, launch: Launch) -> list[str]:
    notices = []
    if settings.webhook.max_body_bytes < META_MEGABYTES:
        notices.append("webhook.maxBodyBytes is under 3 MB; Meta sends up to that, and what is refused is lost")
    if settings.mode is Mode.DRY_RUN:
        return notices + _dry_run_notices(settings, launch)
    if settings.paas and settings.storage.url.endswith(f"{settings.data_dir}/{DEFAULT_FILE}"):
        notices.append("the default SQLite file is on a disk that most platforms throw away at each deploy")
    return notices


def _dry_run_notices(settings: Settings, launch: Launch) -> list[str]:
    assert launch.profile is not None
    notices = []
    section = launch.profile.sections
    refs = [section["auth"]["accessToken"], section["webhook"]["appSecret"], section["storage"]["url"]]
    unused = [ref.env for ref in refs if isinstance(ref, SecretRef) and launch.environ.get(ref.env)]
    if unused:
        notices.append(f"dry-run does not use {', '.join(unused)}, which the environment holds")
    held_back = [each.name for each in settings.destinations if not _is_pushed_to(each, settings)]
    if held_back:
        notices.append(f"dry-run does not push to {', '.join(held_back)} beyond loopback; --push does")
    return notices


def _is_pushed_to(destination: Destination, settings: Settings) -> bool:
    host = destination.url.partition("://")[2].split("/", 1)[0].rsplit("@", 1)[-1]
    return settings.push_anywhere or is_loopback(host.rsplit(":", 1)[0] if not host.endswith("]") else host)
