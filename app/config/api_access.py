"""How the command line reaches a running service: its URL, and the one token it needs. Nothing else is looked up.

No env file is read: a command runs beside the service, in an environment of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from app.config.errors import ConfigError, Problems
from app.config.schema.references import SecretRef
from app.config.schema.urls import SERVICE_URL
from app.config.secrets.dry_run import PLACEHOLDER_SERVICE_TOKEN
from app.config.secrets.lookup import Sources
from app.config.settings import Mode
from app.config.start.environment import start_environment
from app.config.start.request import ANY_ADDRESS, StartRequest, evaluate
from app.config.start.values import Flags, StartValues
from app.config.start_options import DRY_RUN_SERVICE_TOKEN, HOST, MODE, PORT, URL


@dataclass(frozen=True)
class ApiAccess:
    """Where a running service and its API are, and the token that the API accepts."""

    service_url: str
    api_prefix: str
    token: str = field(repr=False)
    token_hint: str = ""
    """Where the token came from, and what to do if it is refused. It does not contain the token."""

    @property
    def api_url(self) -> str:
        """The URL that every path of the API is appended to."""
        return self.service_url + self.api_prefix


def api_access(flags: Flags, environ: Mapping[str, str] | None = None) -> ApiAccess:
    """Return the access that flags, environment and profile describe.

    The token is the value of the variable that the profile names. Where that is unset and the mode is not live, it is
    the dry-run's. Raises `ConfigError`.
    """
    request = evaluate(flags, start_environment() if environ is None else environ, needs_mode=False)
    if request.profile is None:
        raise ConfigError(request.problems.found)
    service = request.profile.sections["service"]
    url = _given_url(request.values) or _local_url(request)
    return ApiAccess(url, service["apiPrefix"], *_token(request, service["bearerToken"]))


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


def _token(request: StartRequest, ref: SecretRef) -> tuple[str, str]:
    """Return the token, and the hint for its refusal."""
    sources, problems = Sources(request.environ), Problems(ref.env)
    names = [ref.env] if request.values[MODE] == Mode.LIVE else [ref.env, DRY_RUN_SERVICE_TOKEN.variable]
    for name in names:
        token = problems.read(partial(sources.peek, name), None)
        problems.raise_if_any()
        if token:
            unused = " (a dry-run does not use it: unset it)" if name == ref.env and len(names) > 1 else ""
            return token, f"the token is that of {sources.variable_of(name)}: set it to that of the service{unused}"
    if request.values[MODE] == Mode.LIVE:
        problems.add("secret_missing", f"no token for the service is given: {_cure(ref)}")
        problems.raise_if_any()
    return PLACEHOLDER_SERVICE_TOKEN, (
        f"{ref.env} is not set, so that the placeholder of a dry-run was sent: {_cure(ref)}, or"
        f" {DRY_RUN_SERVICE_TOKEN.variable} to the one that a dry-run has printed at its start"
    )


def _cure(ref: SecretRef) -> str:
    return f"set {ref.env} to it, or {ref.env}_FILE to a file with it, in this environment (env files are not read)"
