"""Load what gunicorn's master or the launcher has loaded when it forks, and print what a fork would copy.

`mastering.py gunicorn|launcher` prints which modules or types hold a native lock, whether there is an event loop, how
many applications there are, and whether garbage is collected.
"""

import gc
import json
import runpy
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

from tests.support.serving import ROOT


def load_as_gunicorn() -> None:
    import gunicorn.app.wsgiapp  # noqa: F401 - gunicorn itself comes before our settings

    settings = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    settings["on_starting"](SimpleNamespace(cfg=SimpleNamespace(is_ssl=False)))


def load_as_launcher() -> None:
    gc.disable()  # as the launcher's process has

    from app import launcher
    from app.config import load_settings

    launcher._load_roles(load_settings())


def holders_of_native_locks() -> Iterator[str]:
    """Yield what holds a lock that gevent has not made."""
    from app.gevent_patch import native

    kinds = (type(native("_thread", "allocate_lock")()), type(native("_thread", "RLock")()))
    modules = {id(vars(module)): name for name, module in sys.modules.items() if isinstance(module, ModuleType)}
    gc.unfreeze()
    for holder in gc.get_objects():
        if any(type(held) in kinds for held in gc.get_referents(holder)):
            yield modules.get(id(holder)) or f"{type(holder).__module__}.{type(holder).__qualname__}"


def main(kind: str) -> None:
    {"gunicorn": load_as_gunicorn, "launcher": load_as_launcher}[kind]()
    from flask import Flask
    from gevent._hub_local import get_hub_if_exists

    collects = gc.isenabled()
    inherited = {"locks": sorted(set(holders_of_native_locks())), "loop": get_hub_if_exists() is not None}
    applications = sum(type(held) is Flask for held in gc.get_objects())
    print(json.dumps({**inherited, "applications": applications, "collects_garbage": collects}))


if __name__ == "__main__":
    main(sys.argv[1])
