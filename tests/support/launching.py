"""The launcher, loaded with all that it loads: forks of a process that has this module become gateways."""

import gc
import sys
from importlib import import_module
from typing import NoReturn

from app import launcher
from app.startup.early_stop import end_at_sigterm
from app.store import load_driver

for _module in (
    "app.cli.opened_store",
    "app.cli.start_checks",
    "app.factory",
    "app.graph.client",
    "app.graph.fake.stored",
    "app.server.master",
    "app.server.refusals",
    "app.worker",
):
    import_module(_module)
for _url in ("sqlite://", "postgresql://"):
    load_driver(_url)


def main() -> NoReturn:
    """Be `python -m app.launcher`, with the arguments of this process."""
    end_at_sigterm()
    gc.disable()
    launcher._leave(launcher.main(*sys.argv[1:]))
