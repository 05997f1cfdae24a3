"""Our own environment variables, each with its type. None of them is a secret; those are in `sources`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError
from marshmallow import ValidationError

from app.config.errors import ConfigProblem
from app.config.schema.hosts import is_host

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_KUBERNETES_LINK = re.compile(r"(?:tcp|udp|sctp)://.*", re.ASCII)


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
    workers: int | None
    threads: int | None
    grace_seconds: int | None
    data_dir: Path
    push: bool


class _StartEnv(Env):
    """environs on the environment that we hand in, rather than on the one that `.env` files have changed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._start = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._start.get(env_key) or default

    def number(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds, in plain digits; None if it is unset."""

        def check(text: str) -> None:
            if not _is_number(text, low, high):
                raise ValidationError(f"must be a number from {low} to {high}, in digits only.")

        text = self.str(name, None, validate=check)
        return None if text is None else int(text)

    def switch(self, name: str) -> bool:
        """`1`, or unset; `0` counts as unset, anything else is a problem."""
        return self.str(name, "", validate=_yes) == "1"


def read_variables(environ: Mapping[str, str]) -> tuple[Variables, list[ConfigProblem]]:
    """Every variable with its type; those that are wrong are told together and count as unset."""
    env = _StartEnv(_without_kubernetes_link(environ))
    variables = Variables(
        config=env.path("WATS_CONFIG", None),
        profile=env.str("WATS_PROFILE", None),
        mode=env.str("WATS_MODE", ""),
        yes_live=env.switch("WATS_YES_LIVE"),
        paas=env.switch("WATS_PAAS"),
        env_file=env.path("WATS_ENV_FILE", None),
        host=env.str("WATS_HOST", None, validate=_host),
        port=env.number("WATS_PORT", 1, 65535),
        platform_port=environ.get("PORT", ""),
        workers=env.number("WEB_CONCURRENCY", 1, 64),
        threads=env.number("WATS_THREADS", 1, 64),
        grace_seconds=env.number("WATS_GRACE_SECONDS", 1, 3600),
        data_dir=env.path("WATS_DATA_DIR", Path("data")) or Path("data"),
        push=env.switch("WATS_DRY_RUN_PUSH"),
    )
    return variables, _mistakes(env)


def is_port(text: str) -> bool:
    """Tells whether this is a port as platforms give it: digits, no sign, no leading zero, 1..65535."""
    return _is_number(text, 1, 65535)


def _is_number(text: str, low: int, high: int) -> bool:
    return _WHOLE.fullmatch(text) is not None and low <= int(text) <= high


def _without_kubernetes_link(environ: Mapping[str, str]) -> Mapping[str, str]:
    """For a Service named `wats` Kubernetes sets WATS_PORT=tcp://… in every pod: that is no setting of ours."""
    if not _KUBERNETES_LINK.fullmatch(environ.get("WATS_PORT", "")):
        return environ
    return {name: value for name, value in environ.items() if name != "WATS_PORT"}


def _mistakes(env: Env) -> list[ConfigProblem]:
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Mapping[str, list[str]] = error.error_messages  # type: ignore[assignment]
        return [ConfigProblem("bad_variable", name, " ".join(texts)) for name, texts in messages.items()]
    return []


def _yes(value: str) -> None:
    if value not in ("", "0", "1"):
        raise ValidationError("must be 1, or unset.")


def _host(value: str) -> None:
    if not is_host(value):
        raise ValidationError("must be an IP address or a host name.")
