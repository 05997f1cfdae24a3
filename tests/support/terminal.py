"""A command as it runs on a terminal: a person sees what it prints, and may answer."""

import os
import pty
import subprocess
from collections.abc import Mapping
from contextlib import suppress

from tests.support.serving import FLASK, ROOT


def on_a_terminal(*arguments: str, environ: Mapping[str, str], typed: str = "") -> str:
    """Run `flask wats …` on a terminal, where this is typed; return what was seen."""
    screen, terminal = pty.openpty()
    command = [FLASK, "wats", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    os.write(screen, typed.encode())
    seen = b""
    with suppress(OSError):  # raised once the other side of the terminal is closed
        while piece := os.read(screen, 4096):
            seen += piece
    process.wait()
    os.close(screen)
    return seen.decode().replace("\r\n", "\n")
