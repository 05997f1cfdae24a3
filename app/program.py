"""The program `wats`: what `flask wats …` does, without the `flask` command and from any working folder.

Called by the name of a command it runs that command: the image has `serve`, `worker` and `db`.
"""

import sys
from pathlib import Path

from app.startup.early_stop import end_command_at_sigterm


def main() -> None:
    """Run the command that the command line names."""
    end_command_at_sigterm(sys.argv)

    from app.cli import COMMANDS, wats  # here, because a SIGTERM may come while they are imported

    called = Path(sys.argv[0]).name
    wats([called, *sys.argv[1:]] if called in COMMANDS else sys.argv[1:], prog_name="wats")
