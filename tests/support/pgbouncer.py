"""A real PgBouncer in front of the tests' PostgreSQL server. Tests that need it skip where it is not installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import PostgresServer, become_unprivileged
from tests.support.serving import free_port
from tests.support.waiting import DEADLINE_SECONDS, wait_for

BINARY = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
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
    assert BINARY is not None
    with Path(f"{file}.log").open("wb") as log:
        process = subprocess.Popen([BINARY, file], stdout=log, stderr=log, preexec_fn=become_unprivileged)
    through = url.replace(f":{server.port}/", f":{port}/")
    try:
        wait_for(lambda: _answers(through, process))
        yield through
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


def _answers(url: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None
    with suppress(psycopg.OperationalError):
        psycopg.connect(url.replace("+psycopg", "")).close()
        return True
    return False
