"""Warnings about settings that are valid, but may not be what the operator intends."""

from app.config.data_folder import why_unwritable
from app.config.file.profile import Profile
from app.config.schema.collisions import SECRET_SETTINGS
from app.config.schema.databases import sqlite_url
from app.config.schema.references import SecretRef
from app.config.schema.urls import is_loopback_url
from app.config.secrets.live import DEFAULT_FILE
from app.config.secrets.lookup import Sources
from app.config.settings import Destination, Mode, Settings
from app.config.start.request import StartRequest
from app.config.start.unread import unread_variables
from app.config.start_options import CONTROL_VARIABLES, ENV_FILE, PUSH

MAX_META_BYTES = 3 * 1024 * 1024


def warnings_about(settings: Settings, request: StartRequest, profile: Profile, sources: Sources) -> list[str]:
    """Return warnings for the operator who starts the gateway. They hold no secret."""
    warnings = [*request.warnings, *sources.warnings, *_about_unread_files(request)]
    if settings.webhook.max_body_bytes < MAX_META_BYTES:
        warnings.append("webhook.maxBodyBytes is under 3 MB; Meta sends up to that, and what is refused is lost")
    media = settings.media
    if media.fetch_on_arrival and (why := why_unwritable(media.directory / "file", shows_path=True)):
        warnings.append(f"received media are not kept here: {why}")
    warnings += _about_own_events(settings)
    if settings.mode is Mode.DRY_RUN:
        return warnings + _about_dry_run(settings, profile, sources)
    if settings.paas and settings.storage.url == sqlite_url(settings.data_dir / DEFAULT_FILE):
        warnings.append("the default SQLite file is on a disk that most platforms throw away at each deploy")
    return warnings


def _about_own_events(settings: Settings) -> list[str]:
    """Return a warning for each destination that asks for events which Meta has no form for."""
    return [
        f"destination {one.name} gets no outbound.* or operator.* events: Meta has no form for them"
        for one in settings.destinations
        if one.format == "meta" and _asks_for_own_events(one)
    ]


def _asks_for_own_events(destination: Destination) -> bool:
    from app.domain.event import ASKED_FOR_ONLY  # here, because it slows every command's start

    return destination.operator_events or any(glob.startswith(ASKED_FOR_ONLY) for glob in destination.types)


def _about_unread_files(request: StartRequest) -> list[str]:
    """Return a warning for each `.env` of the working folder that sets start options and was not read."""
    unread = unread_variables(CONTROL_VARIABLES, request.environ)
    return [
        f"{path} was not read, and its {', '.join(names)} does not count; export it"
        for path, names in unread.items()
        if path != request.values[ENV_FILE]
    ]


def _about_dry_run(settings: Settings, profile: Profile, sources: Sources) -> list[str]:
    warnings = []
    refs = [profile.sections[section][key] for section, key in SECRET_SETTINGS]
    unused = [ref.env for ref in refs if isinstance(ref, SecretRef) and sources.is_set(ref.env)]
    if unused:
        warnings.append(f"dry-run does not use {', '.join(unused)}, which the environment holds")
    held_back = [destination.name for destination in settings.destinations if not is_loopback_url(destination.url)]
    if held_back and not settings.push_anywhere:
        warnings.append(f"dry-run does not push to {', '.join(held_back)} beyond loopback; {PUSH.flag} does")
    return warnings
