"""Read by each Python process that the tests start: coverage, where it is on, does not trace imports.

Tracing doubles the time of an import, and most of what a command or a gateway does is to import. The test process
imports every module of ours itself and so covers what runs at import, but for those named here.
"""

import sys
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from types import ModuleType

COVERED_HERE = ("app.launcher", "app.worker", "app.store.migrations")
"""`tests/conftest.py` does not import them."""


def _untraced(loader: type[SourceFileLoader] | type[ExtensionFileLoader]) -> None:
    execute = loader.exec_module

    def exec_module(self: SourceFileLoader | ExtensionFileLoader, module: ModuleType) -> None:
        if module.__name__.startswith(COVERED_HERE):
            return execute(self, module)
        trace = sys.gettrace()
        sys.settrace(None)
        try:
            execute(self, module)
        finally:
            sys.settrace(trace)

    loader.exec_module = exec_module


if sys.gettrace() is not None:
    from main_greenlets import keep_main_greenlets

    keep_main_greenlets()
    _untraced(SourceFileLoader)
    _untraced(ExtensionFileLoader)
