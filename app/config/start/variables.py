"""The environment variables of start options, read with environs, which collects what is wrong with all of them.

It imports much: only where one is wrong.
"""

from collections.abc import Mapping
from typing import Any

from environs import Env, EnvValidationError, ValidationError

from app.config.errors import InvalidValue, Problems
from app.config.start_options import StartOption


class _StartEnv(Env):
    """environs on an environment that is handed in: `os.environ` also holds what `.env` files added."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._start = environ
        self.add_parser("option", _parse)

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._start.get(env_key) or default


def read_variables(
    options: Mapping[str, StartOption[Any]], environ: Mapping[str, str], problems: Problems
) -> dict[str, Any]:
    """Return the values of these variables by name; None, with a problem, for one that its option cannot have."""
    env = _StartEnv(environ)
    values = {name: env.option(name, None, option=option) for name, option in options.items()}
    try:
        env.seal()
    except EnvValidationError as error:
        messages: Mapping[str, list[str]] = error.error_messages  # type: ignore[assignment]
        for variable, texts in messages.items():
            problems.named(variable).add("bad_variable", " ".join(texts))
    return values


def _parse(text: str | None, *, option: StartOption[Any]) -> Any:
    try:
        return None if text is None else option.type.parse(text)
    except InvalidValue as invalid:
        raise ValidationError(invalid.message) from invalid
