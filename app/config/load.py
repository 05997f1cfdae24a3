"""The public functions of `app.config`: load and explain settings, check and explain a config."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.config.data_folder import with_writable_folder
from app.config.errors import ConfigError, Problems
from app.config.explain import Explained, explain_profile, explain_request
from app.config.file.profile import Profile
from app.config.resolve import resolve, resolve_signing
from app.config.schema.references import SecretRef
from app.config.settings import Settings, WebhookSigning
from app.config.start.environment import start_environment
from app.config.start.request import config_path, evaluate, read_config
from app.config.start.values import Flags, read_values
from app.config.start_options import CONFIG, HANDED_DOWN, PROFILE

NO_FLAGS = Flags()


@dataclass(frozen=True)
class Checked:
    """A config file without problems, and the profiles in it."""

    path: Path
    profiles: Mapping[str, Profile]
    default: str | None


def load_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """Load the settings to start with; check the mode and the secrets. Raises `ConfigError` with every problem."""
    return resolve(with_writable_folder(evaluate(flags, _environ(environ))))[0]


def secret_variables(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variable of each secret that a profile's sections name, by its setting: `webhook.appSecret`."""
    start_request = evaluate(flags, _environ(environ), needs_mode=False)
    if start_request.profile is None:
        raise ConfigError(start_request.problems.found)
    return {
        f"{section}.{key}": value.env
        for section, values in start_request.profile.sections.items()
        for key, value in values.items()
        if isinstance(value, SecretRef)
    }


def client_settings(
    flags: Flags, environ: Mapping[str, str] | None = None, *, checks_export: bool = False
) -> Settings:
    """Load the settings of a command that speaks to the service as Meta does: it opens no store and no port.

    `checks_export`: refuse an export of spans that cannot work, as the service does.
    """
    return resolve(evaluate(flags, _environ(environ)), opens_store=False, checks_export=checks_export)[0]


def webhook_signing(flags: Flags, environ: Mapping[str, str] | None = None) -> WebhookSigning:
    """Load what a command needs that posts webhooks as Meta does. Raises `ConfigError` like `load_settings`."""
    return resolve_signing(evaluate(flags, _environ(environ)))


def dry_run_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Settings:
    """Load dry-run settings for a command that only needs the application, such as its routes or OpenAPI document.

    Only the options of the config file and the profile count; other flags and variables are ignored.
    """
    environ = _environ(environ)
    visible = {option.variable: environ.get(option.variable, "") for option in (CONFIG, PROFILE)}
    request = evaluate(Flags(config=flags.get(CONFIG), profile=flags.get(PROFILE), dry_run=True), visible)
    return resolve(request, opens_store=False)[0]


def explain_settings(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> list[Explained]:
    """Return every setting with its value and source. Raises `ConfigError` like `load_settings`."""
    start_request = with_writable_folder(evaluate(flags, _environ(environ)))
    settings, sources = resolve(start_request)
    assert start_request.profile is not None
    return [*explain_request(start_request, settings), *explain_profile(start_request.profile, sources.origins)]


def check_config(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> Checked:
    """Check every profile of the config file, without mode or secrets. Raises `ConfigError` with every problem."""
    path = config_path(read_values(flags, _environ(environ), Problems()))
    problems = Problems()
    document = read_config(path, problems)
    if document is None:
        raise ConfigError(problems.found)
    return Checked(path, document.profiles, document.default)


def explain_config(flags: Flags = NO_FLAGS, environ: Mapping[str, str] | None = None) -> list[Explained]:
    """Return each key of a profile with its value or default, and whether its variables are set."""
    start_request = evaluate(flags, _environ(environ), needs_mode=False)
    if start_request.profile is None:
        raise ConfigError(start_request.problems.found)
    names = [name for name in start_request.environ if start_request.environ[name]]
    origins = {name.removesuffix("_FILE"): f"file named by {name}" for name in names if name.endswith("_FILE")}
    return list(explain_profile(start_request.profile, origins | {name: f"environment {name}" for name in names}))


def child_environment(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return environment variables from which a child process loads the same settings."""
    handed_down_names = {option.variable for option in HANDED_DOWN}
    inherited = {name: value for name, value in _environ(environ).items() if name not in handed_down_names}
    return inherited | dict(settings.start_variables) | dict(settings.generated_secrets)


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return start_environment() if environ is None else environ
