"""The process of the supervisor: `python -I -S app/supervisor/__main__.py DESCRIPTOR`.

The launcher becomes it by `exec`: so the supervisor is the parent of what the launcher has forked. It finds its task
in the pipe with this descriptor.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from app.log import configure_logging, log_uncaught_errors, take_over_output
from app.startup.linux import name_process
from app.supervisor.task import read_task


def main(descriptor: str) -> int:
    """Run the supervisor to its end. Return its exit code."""
    name_process("wats")
    take_over_output()
    configure_logging()
    log_uncaught_errors()
    return read_task(int(descriptor)).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
