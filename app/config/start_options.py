"""The start options: everything that a flag or an environment variable decides about a start, each declared once.

This table is the only place that spells their names. Derived from it: click's options (app/cli/options.py), the
reading of flags and variables (app/config/start/values.py), what a parent process hands to its children,
`--print-config`, the names that a config cannot use for its secrets, and the reference in docs/configure.md.
"""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Generic, TypeVar

from app.config.option_types import Credential, FilePath, HostName, Number, OneOf, OptionType, Switch, Text

T = TypeVar("T")


class Commands(Enum):
    """The commands that read an option, and take its flag if it has one."""

    EVERY = auto()
    """All that read a config."""
    START = auto()
    """All that start a process or open the store: `serve`, `worker`, `db`."""
    SERVE = auto()
    CLIENT = auto()
    """All that call a running service."""
    START_OR_CLIENT = auto()
    NONE = auto()


@dataclass(frozen=True, eq=False)
class StartOption(Generic[T]):
    """One start option: the flag counts, else the variable, else the profile's `setting`, else `default`.

    `help` is a sentence. `shown` is the option's row in `--print-config`, if it has one. `otherwise` says what counts
    where nothing is given, if that is no constant.
    """

    flag: str
    variable: str
    type: OptionType[T]
    default: T
    commands: Commands
    help: str
    shown: str = ""
    setting: tuple[str, str] | None = None
    otherwise: str = ""

    @property
    def keyword(self) -> str:
        """The flag as click and `Flags` spell it: `env_file` for `--env-file`."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def default_text(self) -> str:
        """Return the default, used if neither flag nor variable is given, as text for the documentation."""
        if self.setting:
            return f"the profile's `{'.'.join(self.setting)}`"
        return self.otherwise or (f"`{self.default}`" if self.default else "")

    @property
    def flag_help(self) -> str:
        """The help of the flag: what the option is, and what counts where the flag is not given."""
        if isinstance(self.type, Switch):
            return f"{self.help.removesuffix('.')}; or {self.variable}=1." if self.variable else self.help
        places = [self.variable and f"${self.variable}", self.default_text.replace("`", "")]
        return f"{self.help} Default: {', then '.join(filter(None, places))}."


_EVERY, _START, _SERVE, _CLIENT, _START_OR_CLIENT, _NONE = Commands
_OFF = False
_SECRET = Credential("secret")
_PORT = Number(1, 65535)

OTLP = "otlp"
SPOKEN_PROTOCOL = "http/protobuf"

# A table: flag, variable, type, default, commands, help; then what some options need besides.
# fmt: off
CONFIG = StartOption(
    "--config", "WATS_CONFIG", FilePath(), None, _EVERY, "The config file.",
    shown="config", otherwise="`wats.config.yaml`, then `config/wats.config.yaml`")
PROFILE = StartOption(
    "--profile", "WATS_PROFILE", Text("name"), None, _EVERY, "The profile.",
    shown="profile", otherwise="the file's `defaultProfile`")
DRY_RUN = StartOption("--dry-run", "", Switch(), _OFF, _START, "No Meta account, no secrets, nothing sent.")
LIVE = StartOption("--live", "", Switch(), _OFF, _START, "The first yes to live; or WATS_MODE=live.")
MODE = StartOption(
    "", "WATS_MODE", Text("`dry-run` or `live`"), "", _START,
    "The mode, if no flag gives it. Live also needs the second yes.", shown="mode")
YES_LIVE = StartOption("--yes-live", "WATS_YES_LIVE", Switch(), _OFF, _START, "The second yes to live.")
ENV_FILE = StartOption(
    "--env-file", "WATS_ENV_FILE", FilePath(), None, _START_OR_CLIENT,
    "One more source of the secrets that the profile names.", shown="envFile")
HOST = StartOption(
    "--host", "WATS_HOST", HostName(), "127.0.0.1", _SERVE, "Address to listen on.",
    shown="listen.host", setting=("service", "host"))
PORT = StartOption(
    "--port", "WATS_PORT", _PORT, 3000, _SERVE, "Port to listen on.",
    shown="listen.port", setting=("service", "port"))
PAAS = StartOption("--paas", "WATS_PAAS", Switch(), _OFF, _SERVE, "Port from $PORT, host 0.0.0.0.", shown="paas")
PLATFORM_PORT = StartOption("", "PORT", Text(_PORT.name), "", _SERVE, "The platform's port; read in PaaS mode only.")
WORKERS = StartOption(
    "--workers", "WEB_CONCURRENCY", Number(1, 64), 2, _SERVE, "Web processes.", shown="webProcesses")
PUSH = StartOption(
    "--push", "WATS_DRY_RUN_PUSH", Switch(), _OFF, _SERVE, "In dry-run, push to destinations beyond loopback too.",
    shown="push")
THREADS = StartOption(
    "--threads", "WATS_THREADS", Number(1, 64), 8, _START, "Jobs at a time in the background worker.",
    shown="threads", setting=("worker", "threads"))
GRACE_SECONDS = StartOption(
    "", "WATS_GRACE_SECONDS", Number(1, 3600), 25, _START, "Seconds that a stop may take. Cloud Run needs 8.",
    shown="graceSeconds")
DRAIN_SECONDS = StartOption(
    "", "WATS_DRAIN_SECONDS", Number(0, 3600), 0, _SERVE,
    "Seconds of a stop in which web processes still take requests, while `/readyz` is 503.",
    shown="drainSeconds", otherwise="`0`")
DATA_DIR = StartOption(
    "", "WATS_DATA_DIR", FilePath(), Path("data"), _START, "The folder of the SQLite files.", shown="dataDir")
RUN_DIR = StartOption(
    "", "WATS_RUN_DIR", FilePath(), None, _START,
    "A folder for what the image's health check reads: one small file for each role that runs.", otherwise="no files")
METRICS_DIR = StartOption(
    "", "PROMETHEUS_MULTIPROC_DIR", FilePath(), None, _START,
    "A folder in which gateways and workers of one machine share the counters of `/metrics`; it is made if missing.",
    shown="metricsDir", otherwise="a folder in memory for the processes of one run")
SPANS_TO = StartOption(
    "", "OTEL_TRACES_EXPORTER", OneOf((OTLP, "none")), "none", _START,
    "`otlp`: export spans to an OpenTelemetry collector, which the other variables `OTEL_…` describe.",
    shown="spansTo")
OTEL_DISABLED = StartOption(
    "", "OTEL_SDK_DISABLED", Text("`true`"), "", _START, "`true`: export no spans after all.")
OTLP_PROTOCOL = StartOption(
    "", "OTEL_EXPORTER_OTLP_PROTOCOL", Text("`http/protobuf`"), "", _START,
    "How spans are exported: wats speaks this protocol only.")
OTLP_TRACES_PROTOCOL = StartOption(
    "", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", Text("`http/protobuf`"), "", _START,
    "The same for spans alone; it counts before the other.")
URL = StartOption(
    "--url", "WATS_URL", Text("URL"), "", _CLIENT,
    "The running service.", otherwise="where `serve` would listen")
TOKEN = StartOption(
    "--token", "", _SECRET, "", _CLIENT, "The service's token. Other users of the machine can see what a flag holds.",
    otherwise="the variable that `service.bearerToken` names, or its _FILE")
LISTEN_SECRET = StartOption(
    "", "WATS_LISTEN_SECRET", _SECRET, "", _CLIENT, "Signs what `listen` posts.",
    otherwise="one that is made and printed")
DRY_RUN_DATABASE_URL = StartOption(
    "", "WATS_DRY_RUN_DATABASE_URL", Credential("URL"), "", _START, "The dry-run's database.",
    otherwise="`$WATS_DATA_DIR/dry-run.sqlite3`")
DRY_RUN_APP_SECRET = StartOption("", "WATS_DRY_RUN_APP_SECRET", _SECRET, "", _START, "The dry-run's app secret.")
DRY_RUN_VERIFY_TOKEN = StartOption(
    "", "WATS_DRY_RUN_VERIFY_TOKEN", _SECRET, "", _START, "The dry-run's verify token.")
DRY_RUN_SERVICE_TOKEN = StartOption(
    "", "WATS_DRY_RUN_SERVICE_TOKEN", _SECRET, "", _START, "The dry-run's service token.")
SUPERVISED = StartOption("", "WATS_SUPERVISED", Text("pipe"), "", _NONE, "")  # `serve` sets these for its children
COUNTER_FOLDER = StartOption("", "WATS_COUNTER_FOLDER", FilePath(), None, _NONE, "")
# fmt: on

OPTIONS: tuple[StartOption[Any], ...] = tuple(
    option for option in list(globals().values()) if isinstance(option, StartOption)
)
"""Every option above, in that order."""

HANDED_DOWN = tuple(
    option
    for option in OPTIONS
    if option.variable
    and option.commands in (Commands.EVERY, Commands.START, Commands.SERVE, Commands.START_OR_CLIENT)
    and not isinstance(option.type, Credential)
)
"""The options whose values a parent process hands to its children, as variables."""

CONTROL_VARIABLES = frozenset(option.variable for option in OPTIONS if option.variable)
"""Names that a config cannot use for a secret of its own."""
