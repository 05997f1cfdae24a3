"""A SIGTERM that comes before any of our code has run, as programs of the image start: as PID 1, SIGTERM blocked."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.live import write_config
from tests.support.serving import FLASK, GUNICORN, ROOT, environment, family, serving
from tests.support.waiting import wait_for

AS_PID_1 = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "env", "--block-signal=TERM")
CUT_OFF = 128 + signal.SIGTERM
WAIT_FOR_THE_SIGNAL = """
import pathlib, signal, sys, time

if {word!r} in " ".join(sys.orig_argv):
    pathlib.Path({reached!r}).touch()
    while signal.SIGTERM not in signal.sigpending():
        time.sleep(0.01)
"""
"""Python imports this before any of our code."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs PID namespaces"),
    pytest.mark.usefixtures("unmeasured"),
]


@pytest.mark.parametrize(
    ("command", "word", "code"),
    [
        ((FLASK, "wats", "serve"), "serve", 0),
        ((FLASK, "wats", "serve"), "app.launcher", 0),
        ((FLASK, "wats", "worker"), "wats worker", 0),
        ((FLASK, "wats", "worker"), "app.worker", 0),
        ((GUNICORN, "wsgi:app"), "wsgi:app", 0),
        ((sys.executable, str(ROOT / "deploy" / "wats"), "serve"), "serve", 0),
        ((FLASK, "wats", "db", "upgrade"), "upgrade", CUT_OFF),
    ],
    ids=["serve", "serve after exec", "worker", "worker after exec", "gunicorn", "wats serve", "db upgrade"],
)
def test_a_stop_before_any_of_our_code_has_run_is_not_lost(
    tmp_path: Path, command: tuple[str, ...], word: str, code: int
) -> None:
    reached = tmp_path / "reached"
    (tmp_path / "sitecustomize.py").write_text(WAIT_FOR_THE_SIGNAL.format(word=word, reached=str(reached)))
    start = {"WATS_CONFIG": str(write_config(tmp_path)), "WATS_MODE": "live", "WATS_YES_LIVE": "1"}
    environ = environment(tmp_path, PYTHONPATH=str(tmp_path), **start)
    with serving(tmp_path, command=(*AS_PID_1, *command), environ=environ, ready=False) as running:
        wait_for(reached.exists)

        os.kill(family(running.process.pid)[1], signal.SIGTERM)

        assert running.wait() == code, running.err
