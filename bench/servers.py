"""Servers to measure: each is a real gunicorn with the project's own settings on a loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
START_SECONDS = 120


@dataclass(frozen=True)
class Memory:
    """A process's memory in megabytes: `resident`, and its `share` of what it uses together with other processes."""

    resident: float
    share: float


@dataclass
class Server:
    """A running server and its parent process."""

    address: tuple[str, int]
    process: subprocess.Popen[bytes]
    start_seconds: float
    spent_seconds: float
    """Processor time until it was ready, of its processes that have ended too."""

    def memory_megabytes(self) -> float:
        """Return the proportional memory of all its processes."""
        return sum(memory.share for memory in self.memory_of_processes())

    def memory_of_processes(self) -> list[Memory]:
        """Return the memory of each process, parents first."""
        return [_memory(pid) for pid in _family(self.process.pid)]

    def memory_by_name(self) -> list[tuple[str, float]]:
        """Return the name and the proportional memory of each process, parents first."""
        return [(_name(pid), _memory(pid).share) for pid in _family(self.process.pid)]

    def processor_seconds(self) -> float:
        """Return the processor time that its running processes have used."""
        return processor_seconds(self.process.pid)

    def names_by_pid(self) -> dict[int, str]:
        """Return the names of its processes."""
        return {pid: _name(pid) for pid in _family(self.process.pid)}

    def seconds_by_name(self) -> Counter[str]:
        """Return the processor time of its running processes, those of one name added up."""
        spent = Counter[str]()
        for pid in _family(self.process.pid):
            spent[_name(pid)] += _processor_seconds(pid)  # type: ignore[assignment]  # seconds are counted in parts
        return spent


def serving_wats(environ: Mapping[str, str]) -> AbstractContextManager[Server]:
    """Run the gateway's web processes under gunicorn alone."""
    return _serving([str(BIN / "gunicorn"), "wsgi:app"], environ, ready="/readyz")


def serving_command(environ: Mapping[str, str]) -> AbstractContextManager[Server]:
    """Run the whole gateway with `flask wats serve`."""
    return _serving([str(BIN / "flask"), "wats", "serve"], environ, ready="/readyz")


def serving_empty(environ: Mapping[str, str], application: str = "bench.empty:app") -> AbstractContextManager[Server]:
    """Run the empty route under the same gunicorn settings."""
    conf = str(ROOT / "bench" / "gunicorn_empty.py")
    return _serving([str(BIN / "gunicorn"), "--config", conf, application], environ, ready="/")


@contextmanager
def further_workers(environ: Mapping[str, str], number: int) -> Iterator[list[int]]:
    """Run this many workers beside those of a service, until the block ends, and yield their processes."""
    command = [str(BIN / "flask"), "wats", "worker"]
    quiet = subprocess.DEVNULL
    workers = [subprocess.Popen(command, cwd=ROOT, env=environ, stdout=quiet, stderr=quiet) for _ in range(number)]
    try:
        yield [worker.pid for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


@contextmanager
def _serving(command: Sequence[str], environ: Mapping[str, str], *, ready: str) -> Iterator[Server]:
    """Run a server until the block ends. `ready` is the path that answers once it serves."""
    address = ("127.0.0.1", free_port())
    log = Path(environ["WATS_DATA_DIR"]) / "server.log"
    started = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**_environ_without_wats(), **environ, "WATS_PORT": str(address[1])},
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        _wait_until_ready(f"http://{address[0]}:{address[1]}{ready}", process, log)
        spent = sum(_processor_seconds(pid, with_ended=True) for pid in _family(process.pid))
        yield Server(address, process, time.monotonic() - started, spent)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environ_without_wats() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("WATS_")}


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
            return
        except urllib.error.HTTPError as answered:
            if answered.code != 503:
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise RuntimeError(f"the server did not become ready:\n{log.read_text()[-3000:]}")


def free_port() -> int:
    """Return a port that no other process is given: it stays bound here, and a server can listen there."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()
    return port


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    pids = [pid]
    if children.exists():
        for child in children.read_text().split():
            pids += _family(int(child))
    return pids


def _memory(pid: int) -> Memory:
    kilobytes = {"Rss": 0, "Pss": 0}
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in kilobytes:
                kilobytes[name] = int(value.split()[0])
    return Memory(kilobytes["Rss"] / 1024, kilobytes["Pss"] / 1024)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and its descendants have used so far, those that run."""
    return sum(_processor_seconds(member) for member in _family(pid))


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _processor_seconds(pid: int, *, with_ended: bool = False) -> float:
    """Return the processor time of a process, and that of its children which have ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11 : 15 if with_ended else 13])) / os.sysconf("SC_CLK_TCK")
    return 0.0
