"""What a web process inherits from its parent: the application, but no event loop and no lock of before the patch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import ROOT
from tests.support.tracing import PYTHONPATH

pytestmark = pytest.mark.usefixtures("unmeasured")  # coverage makes locks of its own before the patch

MASTERING = Path(__file__).with_name("mastering.py")
OF_PYTHON = {
    "builtins.builtin_function_or_method",  # `acquire` and `release` of a condition
    "builtins.dict",  # of an object below
    "builtins.set",  # `threading` notes the locks that its own end waits for
    "functools.cached_property",  # reentrant; Python makes it with the native type, whenever it is made
    "tempfile",
    "threading",
    "threading.Condition",
    "threading._MainThread",
}
"""What Python itself, and gevent, have made before the patch. None of it is held while a greenlet waits."""


URLS = ("sqlite:///unused.sqlite3", "postgresql+psycopg://unused@127.0.0.1/unused")


@pytest.mark.parametrize("kind", ["gunicorn", "launcher"])
@pytest.mark.parametrize("url", URLS, ids=["sqlite", "postgresql"])
def test_a_forked_process_inherits_the_application_but_no_event_loop_and_no_lock_of_before_the_patch(
    tmp_path: Path, kind: str, url: str
) -> None:
    start = {"WATS_MODE": "dry-run", "WATS_CONFIG": "config/wats.config.yaml", "WATS_DATA_DIR": str(tmp_path)}
    start["WATS_DRY_RUN_DATABASE_URL"] = url
    loaded = subprocess.run(
        [sys.executable, str(MASTERING), kind],
        cwd=ROOT,
        env={**os.environ, **start, "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        check=True,
    )

    inherited = json.loads(loaded.stdout)

    assert set(inherited["locks"]) - OF_PYTHON == set()
    assert not inherited["loop"]
    assert inherited["applications"] == 1
