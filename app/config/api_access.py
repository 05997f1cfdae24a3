"""How the command line reaches a running service: its URL, and the one token it needs. Nothing else is looked up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.config.errors import ConfigError, Problems
from app.config.schema.keys import SECTIONS
from app.config.schema.references import SecretRef
from app.config.schema.urls import SERVICE_URL
from app.config.secrets.dry_run import PLACEHOLDER_SERVICE_TOKEN
from app.config.secrets.lookup import Sources, check_standard_webhooks_secret
from app.config.settings import Mode
from app.config.start.environment import start_environment
from app.config.start.request import ANY_ADDRESS, StartRequest, evaluate
from app.config.start.unread import unread_hint
from app.config.start.values import Flags, StartValues
from app.config.start_options import (
    CONFIG,
    DRY_RUN_SERVICE_TOKEN,
    ENV_FILE,
    HOST,
    LISTEN_SECRET,
    MODE,
    PORT,
    PROFILE,
    TOKEN,
    URL,
)

MODE_HEADER = "X-Wats-Mode"
"""The header of `/healthz` with the mode: only a service that says it is a dry-run gets a dry-run's token."""

USUAL_TOKEN = "WATS_SERVICE_TOKEN"  # noqa: S105 - the variable's name in the configs that we write
_VISIBLE = re.compile(r"[\x21-\x7e]{1,4096}")


@dataclass(frozen=True)
class Token:
    """A token, and what to do if it is refused; without a value, how to give it. The hint does not contain it."""

    value: str = field(repr=False)
    hint: str


@dataclass(frozen=True)
class ApiAccess:
    """Where a running service and its API are, and the token that the API accepts.

    `dry_run_token` is for a service that says it is a dry-run, and never sent to another; None if the token is meant
    for the service whatever it is.
    """

    service_url: str
    api_prefix: str
    token: Token
    dry_run_token: Token | None = None

    @property
    def api_url(self) -> str:
        """The URL that every path of the API is appended to."""
        return self.service_url + self.api_prefix


def api_access(flags: Flags, environ: Mapping[str, str] | None = None, *, heeds_mode: bool = True) -> ApiAccess:
    """Return the access that flags, environment, env file and profile describe. Raises `ConfigError`.

    The token is that of the flag, or the value of the variable that the profile names. Where the URL is given and
    there is no config, as on a colleague's machine, the defaults count. `heeds_mode` is False for a command that
    posts as Meta does: it needs no token for that, whatever mode WATS_MODE gives to the services of this machine.
    """
    request = evaluate(flags, start_environment() if environ is None else environ, needs_mode=False)
    service = _service(request)
    url = _given_url(request.values) or _local_url(request)
    if given := flags.get(TOKEN):
        return ApiAccess(url, service["apiPrefix"], _given_token(given))
    is_live = heeds_mode and request.values[MODE] == Mode.LIVE
    token = _token(request, service["bearerToken"], needed=is_live)
    return ApiAccess(url, service["apiPrefix"], token, None if is_live else _dry_run_token(request))


def _service(request: StartRequest) -> Mapping[str, Any]:
    """Return the settings of the profile's section `service`."""
    if request.profile is not None:
        return request.profile.sections["service"]
    is_named = request.values.is_given(CONFIG) or request.values.is_given(PROFILE)
    if not request.values[URL] or is_named or request.config_path.exists():
        raise ConfigError(request.problems.found)
    return {"apiPrefix": SECTIONS["service"]["apiPrefix"].default, "bearerToken": SecretRef(USUAL_TOKEN)}


def listen_secret(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the secret that signs what `listen` posts, if one is given. Raises `ConfigError`."""
    sources, problems = Sources(start_environment() if environ is None else environ), Problems()
    name, at_variable = LISTEN_SECRET.variable, problems.named(LISTEN_SECRET.variable)
    if not sources.is_set(name):
        return None
    secret = sources.secret(SecretRef(name), at_variable, live=False)
    check_standard_webhooks_secret(secret, at_variable)
    problems.raise_if_any()
    return secret.current


def _given_url(values: StartValues) -> str:
    """Return the URL of flag or variable. One with a password is refused, as a message would print it."""
    if not values[URL]:
        return ""
    problems = Problems(URL.flag if values.has_flag(URL) else URL.variable)
    url = problems.read(lambda: str(SERVICE_URL.read(values[URL])), "")
    problems.raise_if_any()
    return url


def _local_url(request: StartRequest) -> str:
    """Return the URL of the service that this machine would run with the same options."""
    request.problems.raise_if_any()
    host = {ANY_ADDRESS: "127.0.0.1", "::": "::1"}.get(request.values[HOST], request.values[HOST])
    return f"http://{f'[{host}]' if ':' in host else host}:{request.values[PORT]}"


def _given_token(token: str) -> Token:
    if not _VISIBLE.fullmatch(token):
        problems = Problems(TOKEN.flag)
        problems.add("bad_secret", "it must be 1 to 4096 visible ASCII characters, without blanks")
        problems.raise_if_any()
    return Token(token, f"the token is that of {TOKEN.flag}")


def _token(request: StartRequest, ref: SecretRef, *, needed: bool) -> Token:
    """Return the token for a live service; one without a value if none is given and it is not `needed`."""
    sources = Sources(request.environ, request.env_file)
    if value := _peek(sources, ref.env):
        return Token(value, f"the token is that of {sources.variable_of(ref.env)}: set it to that of the service")
    cure = (
        f"no token for the service is given: set {ref.env} to it, or {ref.env}_FILE to a file with it, or name an env"
        f" file with {ENV_FILE.flag}{unread_hint(ref.env)}"
    )
    if needed:
        problems = Problems(ref.env)
        problems.add("secret_missing", cure)
        problems.raise_if_any()
    return Token("", cure)


def _dry_run_token(request: StartRequest) -> Token:
    sources, variable = Sources(request.environ, request.env_file), DRY_RUN_SERVICE_TOKEN.variable
    if value := _peek(sources, variable):
        return Token(value, f"the token is that of {sources.variable_of(variable)}: set it to that of the dry-run")
    cure = f"set {variable} to the one that the dry-run has printed at its start"
    return Token(PLACEHOLDER_SERVICE_TOKEN, f"{variable} is not set, so that the placeholder was sent: {cure}")


def _peek(sources: Sources, name: str) -> str | None:
    problems = Problems(name)
    value = problems.read(partial(sources.peek, name), None)
    problems.raise_if_any()
    return value
