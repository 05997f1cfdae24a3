"""The mode: dry-run, or live, which needs two yeses so that it never starts by accident."""

from app.config.errors import Problems
from app.config.settings import Mode
from app.config.start.unread import unread_variables
from app.config.start.values import StartValues
from app.config.start_options import DRY_RUN, ENV_FILE, LIVE, MODE, YES_LIVE

TWO_YESES = (
    f"live needs two yeses: {LIVE.flag} or {MODE.variable}={Mode.LIVE}, and {YES_LIVE.flag} or {YES_LIVE.variable}=1"
)


def choose_mode(values: StartValues, problems: Problems) -> Mode | None:
    """Return the mode that the flags name, else the variable's; None, with a problem, if neither names one."""
    mode = _named_mode(values)
    if mode is None and values[MODE]:
        problems.named(MODE.variable).add("bad_mode", f"must be '{Mode.DRY_RUN}' or '{Mode.LIVE}'")
    elif mode is None:
        message = f"none is given: {DRY_RUN.flag} or {MODE.variable}={Mode.DRY_RUN} is a dry-run; {TWO_YESES}"
        if path := next(iter(unread_variables([MODE.variable])), None):
            message += f". {path} sets {MODE.variable}, but no file chooses the mode"
        problems.named("mode").add("mode_missing", message)
    if mode is Mode.DRY_RUN or values[DRY_RUN]:
        _refuse_live_flags(values, problems)
    if mode is Mode.LIVE and not values[YES_LIVE]:
        problems.named(YES_LIVE.flag).add("yes_live_missing", TWO_YESES)
    return mode


def mode_source(values: StartValues) -> str:
    """Return which flag or variable names the mode."""
    return next((values.source(option) for option in (LIVE, DRY_RUN) if values[option]), values.source(MODE))


def _named_mode(values: StartValues) -> Mode | None:
    if values[DRY_RUN] or values[LIVE]:
        return Mode.LIVE if values[LIVE] else Mode.DRY_RUN
    return Mode(values[MODE]) if values[MODE] in tuple(Mode) else None


def _refuse_live_flags(values: StartValues, problems: Problems) -> None:
    dry_run = DRY_RUN.flag if values[DRY_RUN] else f"{MODE.variable}={Mode.DRY_RUN}"
    for option in (LIVE, YES_LIVE, ENV_FILE):
        if values.has_flag(option):
            problems.named(option.flag).add(
                "conflicting_flags", f"this flag is for live mode; {dry_run} is given too"
            )
