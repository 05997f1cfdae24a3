"""A supervisor of small children: `supervising.py FOLDER SILENT_SECONDS GRACE_SECONDS BEHAVIOUR…` (`beating.py`)."""

import os
import sys
from pathlib import Path

from app.config.start_options import SUPERVISED
from app.log import configure_logging
from app.startup.beats import beats_of_this_process
from app.supervisor.child import Child
from app.supervisor.supervisor import Supervisor

BEATING = Path(__file__).with_name("beating.py")


def main(folder: str, silent_seconds: str, grace_seconds: str, *behaviours: str) -> int:
    configure_logging()
    children = [
        Child(behaviour, [sys.executable, str(BEATING), f"{folder}/{behaviour}", behaviour])
        for behaviour in behaviours
    ]
    supervisor = Supervisor(
        children,
        os.environ,
        folder=Path.cwd(),
        pipe_variable=SUPERVISED.variable,
        grace_seconds=int(grace_seconds),
        silent_seconds=float(silent_seconds),
        beats=beats_of_this_process(),
    )
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
