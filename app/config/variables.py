"""Our own environment variables, each with its type. None of them is a secret; those are in `sources`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError
from marshmallow import ValidationError

from app.config.mistakes import Mistake

_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True)
class Variables:
    """What the environment says, read but not yet weighed against flags and profile."""

    config: Path | None
    profile: str | None
    mode: str
    yes_live: bool
    paas: bool
    env_file: Path | None
    host: str | None
    port: int | None
    platform_port: str
    workers: int
    threads: int | None
    grace_seconds: int
    data_dir: Path
    push: bool


REFERENCE = (
    ("WATS_CONFIG", "path", "", "The config file; then `wats.config.yaml`, then `config/wats.config.yaml`."),
    ("WATS_PROFILE", "name", "", "The profile; else the file's `defaultProfile`."),
    (
        "WATS_MODE",
        "`dry-run` or `live`",
        "",
        "The mode where no flag tells it. Live also needs the second yes.",
    ),
    ("WATS_YES_LIVE", "`1`", "", "The second yes."),
    ("WATS_PAAS", "`1`", "", "As `--paas`: port from `$PORT`, host `0.0.0.0`."),
    ("PORT", "1..65535", "", "The platform's port; read in PaaS mode only."),
    ("WATS_ENV_FILE", "path", "", "As `--env-file`: one more source of the secrets that the profile names."),
    ("WATS_HOST", "address", "", "As `--host`."),
    ("WATS_PORT", "1..65535", "", "As `--port`."),
    ("WEB_CONCURRENCY", "1..64", "2", "As `--workers`: web processes."),
    ("WATS_THREADS", "1..64", "", "As `--threads`: the worker's threads."),
    ("WATS_GRACE_SECONDS", "1..3600", "25", "How long a stop may take. Cloud Run wants 8."),
    ("WATS_DATA_DIR", "path", "./data", "Where SQLite files live."),
    (
        "WATS_DRY_RUN_DATABASE_URL",
        "URL",
        "",
        "The dry-run's database; else `$WATS_DATA_DIR/dry-run.sqlite3`.",
    ),
    ("WATS_DRY_RUN_PUSH", "`1`", "", "As `--push`: a dry-run also pushes beyond loopback."),
    ("WATS_DRY_RUN_APP_SECRET", "secret", "", "The dry-run's app secret."),
    ("WATS_DRY_RUN_VERIFY_TOKEN", "secret", "", "The dry-run's verify token."),
    ("WATS_DRY_RUN_SERVICE_TOKEN", "secret", "", "The dry-run's service token."),
)
"""Name, type, default and meaning, for the documentation."""


class _StartEnv(Env):
    """environs on the environment that we hand in, rather than on the one that `.env` files have changed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._start = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._start.get(env_key) or default


def read_variables(environ: Mapping[str, str]) -> tuple[Variables, list[Mistake]]:
    """Every variable with its type; those that are wrong are told together and count as unset."""
    env = _StartEnv(environ)
    variables = Variables(
        config=env.path("WATS_CONFIG", None),
        profile=env.str("WATS_PROFILE", None),
        mode=env.str("WATS_MODE", ""),
        yes_live=env.str("WATS_YES_LIVE", "", validate=_yes) == "1",
        paas=env.str("WATS_PAAS", "", validate=_yes) == "1",
        env_file=env.path("WATS_ENV_FILE", None),
        host=env.str("WATS_HOST", None),
        port=env.int("WATS_PORT", None, validate=_between(1, 65535)),
        platform_port=environ.get("PORT", ""),
        workers=env.int("WEB_CONCURRENCY", 2, validate=_between(1, 64)) or 2,
        threads=env.int("WATS_THREADS", None, validate=_between(1, 64)),
        grace_seconds=env.int("WATS_GRACE_SECONDS", 25, validate=_between(1, 3600)) or 25,
        data_dir=env.path("WATS_DATA_DIR", Path("data")) or Path("data"),
        push=env.str("WATS_DRY_RUN_PUSH", "", validate=_yes) == "1",
    )
    return variables, _mistakes(env)


def is_port(text: str) -> bool:
    """Tells whether this is a port as platforms give it: digits, no sign, no leading zero, 1..65535."""
    return _PORT.fullmatch(text) is not None and int(text) <= 65535


def _mistakes(env: Env) -> list[Mistake]:
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Mapping[str, list[str]] = error.error_messages  # type: ignore[assignment]
        return [Mistake("bad_variable", name, " ".join(texts)) for name, texts in messages.items()]
    return []


def _yes(value: str) -> None:
    if value not in ("", "0", "1"):
        raise ValidationError("must be 1, or unset.")


def _between(low: int, high: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if not low <= value <= high:
            raise ValidationError(f"must be a number from {low} to {high}.")

    return check
