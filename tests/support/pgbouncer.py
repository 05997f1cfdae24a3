"""A real PgBouncer in front of the tests' PostgreSQL server. Tests that need it skip where it is not installed.

CI has it in the virtual environment, with its libraries (.ci/programs).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import PostgresServer, become_unprivileged
from tests.support.serving import free_port
from tests.support.waiting import DEADLINE_SECONDS, wait_for

CARRIED = Path(sys.prefix) / "pgbouncer"
BINARY = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:{CARRIED}")
CONFIG = """
[databases]
* = host=127.0.0.1 port={server_port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
{options}
"""

needs_pgbouncer = pytest.mark.skipif(BINARY is None, reason="there is no pgbouncer on PATH or in /usr/sbin")


@contextmanager
def pgbouncer(server: PostgresServer, url: str, *options: str) -> Iterator[str]:
    """Run PgBouncer with these options; yield the URL of the same database through it."""
    port = free_port()
    file = server.folder / f"pgbouncer-{port}.ini"  # a folder that nobody, who runs it, can read
    file.write_text(CONFIG.format(server_port=server.port, port=port, options="\n".join(options)))
    with Path(f"{file}.log").open("wb") as log:
        process = subprocess.Popen(
            [_readable_program(server.folder), file],
            env={**os.environ, "LD_LIBRARY_PATH": str(server.folder / CARRIED.name)},
            stdout=log,
            stderr=log,
            preexec_fn=become_unprivileged,
        )
    through = url.replace(f":{server.port}/", f":{port}/")
    try:
        wait_for(lambda: _answers(through, process))
        yield through
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


def _readable_program(folder: Path) -> str:
    """Return the program, or a copy in this folder of that of the virtual environment, which nobody may not read."""
    assert BINARY is not None
    if not Path(BINARY).is_relative_to(CARRIED):
        return BINARY
    return str(shutil.copytree(CARRIED, folder / CARRIED.name, dirs_exist_ok=True) / "pgbouncer")


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    with suppress(psycopg.OperationalError):
        psycopg.connect(url.replace("+psycopg", "")).close()
        return True
    return False
