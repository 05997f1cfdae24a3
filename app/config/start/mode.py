"""The gates: dry-run or live, and the two yeses that live needs. A gate never opens by accident."""

from collections.abc import Iterator

from app.config.errors import ConfigProblem
from app.config.settings import Mode
from app.config.start.flags import Flags
from app.config.start.variables import Variables

TWO_YESES = "live needs two yeses: --live or WATS_MODE=live, and --yes-live or WATS_YES_LIVE=1"


def choose_mode(flags: Flags, variables: Variables) -> tuple[Mode | None, list[ConfigProblem]]:
    """The mode, or what stands in its way. Flags win over the environment."""
    problems = list(_conflicts(flags, variables))
    mode = _mode(flags, variables)
    if mode is None and not problems:
        choice = f"choose --dry-run (or WATS_MODE=dry-run) or live; {TWO_YESES}"
        problems.append(ConfigProblem("mode_missing", "--dry-run", choice))
    if mode is Mode.LIVE and not (flags.yes_live or variables.yes_live):
        problems.append(ConfigProblem("yes_live_missing", "--yes-live", TWO_YESES))
    return mode, problems


def _conflicts(flags: Flags, variables: Variables) -> Iterator[ConfigProblem]:
    said_by = "--dry-run" if flags.dry_run else "WATS_MODE=dry-run"
    if flags.dry_run or (variables.mode == Mode.DRY_RUN.value and not flags.live):
        for flag, given in (
            ("--live", flags.live),
            ("--yes-live", flags.yes_live),
            ("--env-file", flags.env_file),
        ):
            if given:
                yield ConfigProblem("conflicting_flags", flag, f"a live flag cannot stand beside {said_by}")
    if variables.mode not in ("", *Mode) and not (flags.dry_run or flags.live):
        yield ConfigProblem("bad_mode", "WATS_MODE", "must be 'dry-run' or 'live'")


def _mode(flags: Flags, variables: Variables) -> Mode | None:
    if flags.dry_run or flags.live:
        return Mode.LIVE if flags.live else Mode.DRY_RUN
    return Mode(variables.mode) if variables.mode in tuple(Mode) else None
