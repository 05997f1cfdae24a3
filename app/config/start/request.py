"""How this start is meant: which config, which profile, which mode, where to listen. Flags, environment, profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.config.errors import ConfigError, ConfigProblem, InvalidValue
from app.config.file.document import read_document
from app.config.file.profile import Document, Profile, read_profiles
from app.config.schema.hosts import is_host
from app.config.settings import Mode
from app.config.start.env_file import read_env_file
from app.config.start.flags import Flags
from app.config.start.mode import choose_mode
from app.config.start.variables import Variables, is_port, read_variables

DEFAULT_CONFIGS = (Path("wats.config.yaml"), Path("config/wats.config.yaml"))
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what a platform's router needs


@dataclass(frozen=True)
class Sourced:
    """A value and who told it: a flag, a variable, the profile or nobody (`default`)."""

    value: str | int
    by: str


@dataclass
class StartRequest:
    """A start, weighed: what is known of it, and every problem met on the way."""

    flags: Flags
    environ: Mapping[str, str]
    variables: Variables
    mode: Mode | None = None
    config_path: Path = DEFAULT_CONFIGS[0]
    profile: Profile | None = None
    problems: list[ConfigProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def paas(self) -> bool:
        return self.flags.paas or self.variables.paas

    def host(self) -> Sourced:
        """The address to listen on: flag, variable, PaaS, profile."""
        if self.flags.host and is_host(self.flags.host):
            return Sourced(self.flags.host, "flag --host")
        if self.variables.host:
            return Sourced(self.variables.host, "environment WATS_HOST")
        return Sourced(ANY_ADDRESS, "PaaS mode") if self.paas else self._of_profile("host", "127.0.0.1")

    def port(self) -> Sourced:
        """The port to listen on: flag, variable, `$PORT` in PaaS mode, profile."""
        if self.flags.port:
            return Sourced(self.flags.port, "flag --port")
        if self.variables.port:
            return Sourced(self.variables.port, "environment WATS_PORT")
        if not (self.paas and self.flags.listens):
            return self._of_profile("port", 3000)
        if not is_port(self.variables.platform_port):
            message = "PaaS mode needs $PORT: 1..65535, digits, no sign or leading zero"
            self.problems.append(ConfigProblem("bad_port", "PORT", message))
            return Sourced(0, "environment PORT")
        return Sourced(int(self.variables.platform_port), "environment PORT")

    def env_file_path(self) -> Path | None:
        """Where the env file is, if one is named."""
        path = self.flags.env_file or self.variables.env_file
        return None if path is None else path.absolute()

    def env_file(self) -> dict[str, str]:
        """The env file's variables, for live only; in PaaS mode it may be absent."""
        path = self.env_file_path()
        if path is None or self.mode is not Mode.LIVE:
            return {}
        try:
            variables, warnings = read_env_file(path)
        except InvalidValue as bad:
            if not (self.paas and bad.code == "file_missing"):
                self.problems.append(bad.at("--env-file").in_file(path))
            return {}
        self.warnings += warnings
        return variables

    def _of_profile(self, key: str, otherwise: str | int) -> Sourced:
        if self.profile is None:
            return Sourced(otherwise, "default")
        given = f"profiles.{self.profile.name}.service.{key}" in self.profile.given
        return Sourced(self.profile.sections["service"][key], "config" if given else "default")


def evaluate(flags: Flags, environ: Mapping[str, str], *, needs_mode: bool = True) -> StartRequest:
    """Read the config and evaluate flags against the environment; problems are collected, not raised."""
    variables, problems = read_variables(environ)
    request = StartRequest(flags, environ, variables, problems=problems)
    if needs_mode:
        request.mode, stopping = choose_mode(flags, variables)
        request.problems += stopping
    if flags.host is not None and not is_host(flags.host):
        request.problems.append(ConfigProblem("bad_form", "--host", "an IP address or a host name is needed"))
    request.config_path = config_path(flags, variables)
    document = _read(request)
    if document is not None:
        request.profile = _choose_profile(document, flags.profile or variables.profile, request.problems)
    return request


def read_config(path: Path) -> Document:
    """The document at this path; raises `ConfigError` with every problem."""
    try:
        return read_profiles(read_document(path))
    except InvalidValue as bad:
        raise ConfigError([bad.at(str(path))]) from bad
    except ConfigError as error:
        raise ConfigError(problem.in_file(path) for problem in error.problems) from error


def config_path(flags: Flags, variables: Variables) -> Path:
    """Where the config is: flag, variable, or one of the two usual places."""
    return (flags.config or variables.config or _first_existing()).absolute()


def _read(request: StartRequest) -> Document | None:
    try:
        return read_config(request.config_path)
    except ConfigError as error:
        request.problems += error.problems
        return None


def _choose_profile(document: Document, named: str | None, problems: list[ConfigProblem]) -> Profile | None:
    name = named or document.default
    if name in document.profiles:
        return document.profiles[name]
    known = ", ".join(document.profiles)
    message = (
        f"choose one of the file's profiles: {known}" if name is None else f"no such profile; there are: {known}"
    )
    problems.append(ConfigProblem("unknown_profile", "--profile", message))
    return None


def _first_existing() -> Path:
    return next((path for path in DEFAULT_CONFIGS if path.exists()), DEFAULT_CONFIGS[0])
