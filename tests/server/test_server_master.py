"""What a web process inherits from its parent: the application, but no event loop and no lock of before the patch."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.live import LIVE_ENVIRONMENT, write_config
from tests.support.serving import ROOT
from tests.support.tracing import PYTHONPATH

pytestmark = pytest.mark.usefixtures("unmeasured")  # coverage makes locks of its own before the patch

MASTERING = Path(__file__).with_name("mastering.py")
OF_PYTHON = {
    "builtins.builtin_function_or_method",  # `acquire` and `release` of a condition
    "builtins.dict",  # of an object below
    "logging",  # on purpose: see `app/gevent_patch.py`
    "builtins.set",  # `threading` notes the locks that its own end waits for
    "functools.cached_property",  # reentrant; Python makes it with the native type, whenever it is made
    "tempfile",
    "threading",
    "threading.Condition",
    "threading._MainThread",
}
"""What Python itself, and gevent, have made before the patch. None of it is held while a greenlet waits."""


def dry_run_on_postgresql(_folder: Path) -> dict[str, str]:
    url = "postgresql+psycopg://unused@127.0.0.1/unused"
    return {"WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml", "WATS_DRY_RUN_DATABASE_URL": url}


def live_on_sqlite(folder: Path) -> dict[str, str]:
    return {**LIVE_ENVIRONMENT, "WATS_MODE": "live", "WATS_YES_LIVE": "1", "WATS_CONFIG": str(write_config(folder))}


@pytest.mark.parametrize("kind", ["gunicorn", "launcher"])
@pytest.mark.parametrize("start", [dry_run_on_postgresql, live_on_sqlite])
def test_a_forked_process_inherits_the_application_but_no_event_loop_and_no_lock_of_before_the_patch(
    tmp_path: Path, kind: str, start: Callable[[Path], dict[str, str]]
) -> None:
    loaded = subprocess.run(
        [sys.executable, str(MASTERING), kind],
        cwd=ROOT,
        env={**os.environ, **start(tmp_path), "WATS_DATA_DIR": str(tmp_path), "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        check=True,
    )

    inherited = json.loads(loaded.stdout)

    assert set(inherited["locks"]) - OF_PYTHON == set()
    assert not inherited["loop"]
    assert inherited["applications"] == 1
    assert inherited["collects_garbage"]
