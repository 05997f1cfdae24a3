"""Servers under test, each a real gunicorn with the project's own settings on a loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class Server:
    """A running server and the process that leads it."""

    address: tuple[str, int]
    process: subprocess.Popen[bytes]

    def memory_megabytes(self) -> float:
        """The proportional memory of the whole process group."""
        return sum(_pss_kilobytes(pid) for pid in _family(self.process.pid)) / 1024


@contextmanager
def serving(application: str, environ: Mapping[str, str], *, conf: str, ready: str) -> Iterator[Server]:
    """A gunicorn with this application; `ready` is the path that answers once it serves."""
    address = ("127.0.0.1", _free_port())
    command = [sys.executable, "-m", "gunicorn", "--config", conf, "--bind", f"127.0.0.1:{address[1]}", application]
    log = Path(environ["WATS_DATA_DIR"]) / "gunicorn.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**_clean(), **environ}, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        _wait_until_ready(f"http://{address[0]}:{address[1]}{ready}", process, log)
        yield Server(address, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("WATS_")}


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
            return
        except urllib.error.HTTPError as answered:
            if answered.code != 503:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the server did not become ready:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [pid]
    if children.exists():
        for child in children.read_text().split():
            found += _family(int(child))
    return found


def _pss_kilobytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
