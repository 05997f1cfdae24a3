"""The settings that gunicorn's master has loaded, for the web processes that it forks.

A web process must not read the files again: one that has become invalid since would make every start of it fail.
"""

from app.config.settings import Settings

_handed_over: list[Settings] = []


def hand_over(settings: Settings) -> None:
    """Keep the settings for the processes that this one forks; a reload replaces them."""
    _handed_over[:] = [settings]


def handed_over() -> Settings | None:
    """Return the master's settings; None where there is no master, as under the `flask` command."""
    return _handed_over[0] if _handed_over else None
