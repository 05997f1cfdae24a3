"""How the command line reaches a running service: its URL, and the one token it needs. Nothing else is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.config.errors import ConfigError, ConfigProblem, InvalidValue
from app.config.schema.references import SecretRef
from app.config.schema.urls import SERVICE_URL
from app.config.secrets.dry_run import PLACEHOLDER_SERVICE_TOKEN, SERVICE_TOKEN_VARIABLE
from app.config.secrets.lookup import Sources
from app.config.settings import Mode
from app.config.start.environment import start_environment
from app.config.start.flags import Flags
from app.config.start.request import ANY_ADDRESS, StartRequest, evaluate

URL_VARIABLE = "WATS_URL"


@dataclass(frozen=True)
class ApiAccess:
    """Where a running service and its API are, and the token that lets one in."""

    service_url: str
    api_prefix: str
    token: str = field(repr=False)

    @property
    def api_url(self) -> str:
        """What every path of the API stands behind."""
        return self.service_url + self.api_prefix


def api_access(flags: Flags, *, url: str | None = None, environ: Mapping[str, str] | None = None) -> ApiAccess:
    """The access that flags, environment and profile add up to.

    The token is the value of the variable that the profile names; where that is unset and nothing says live, the
    dry-run's. Raises `ConfigError`.
    """
    environ = start_environment() if environ is None else environ
    request = evaluate(flags, environ, needs_mode=False)
    if request.profile is None:
        raise ConfigError(request.problems)
    service = request.profile.sections["service"]
    given = _given_url(url, "--url") or _given_url(environ.get(URL_VARIABLE), URL_VARIABLE)
    return ApiAccess(given or _address(request), service["apiPrefix"], _token(request, service["bearerToken"]))


def _given_url(url: str | None, told_by: str) -> str | None:
    """The URL as told; one with a password in it is refused, as it would be printed when nobody answers there."""
    try:
        return str(SERVICE_URL.read(url)) if url else None
    except InvalidValue as bad:
        raise ConfigError([bad.at(told_by)]) from bad


def _address(request: StartRequest) -> str:
    host, port = str(request.host().value), request.port().value
    if request.problems:
        raise ConfigError(request.problems)
    host = {ANY_ADDRESS: "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _token(request: StartRequest, ref: SecretRef) -> str:
    sources = Sources(request.environ)
    try:
        token = sources.peek(ref.env)
        if token is None and request.variables.mode != Mode.LIVE.value:
            token = sources.peek(SERVICE_TOKEN_VARIABLE) or PLACEHOLDER_SERVICE_TOKEN
    except InvalidValue as bad:
        raise ConfigError([bad.at(ref.env)]) from bad
    if token is None:
        raise ConfigError([ConfigProblem("secret_missing", ref.env, f"set {ref.env}, or {ref.env}_FILE to a path")])
    return token
