"""The settings that gunicorn's master has loaded, handed over to the workers that it forks.

A worker must not read files again: one that changed meanwhile would send it into a loop of failing starts.
"""

from app.config.settings import Settings

_handed_over: list[Settings] = []


def hand_over(settings: Settings) -> None:
    """Keep the settings for the processes forked from this one; a reload replaces them."""
    _handed_over[:] = [settings]


def handed_over() -> Settings | None:
    """The master's settings; None where no master has loaded any, as under the `flask` command."""
    return _handed_over[0] if _handed_over else None
