"""The environment that counts: the one the process was started with.

The `flask` command loads `.env` and `.flaskenv` files before any of our code runs. Such a file may hold anything. It
must neither choose a mode nor supply a secret, so its variables are left out.
"""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

STARTED_WITH = Path("/proc/self/environ")


@cache
def start_environment() -> Mapping[str, str]:
    """Return the variables this process was started with, as strings; undecodable bytes are escaped."""
    try:
        return parse_environ(STARTED_WITH.read_bytes())
    except OSError:
        return without_dotenv_files(os.environ)


def parse_environ(block: bytes) -> dict[str, str]:
    """Return the variables of the kernel's form: NUL-terminated `NAME=value`. Of equal names the first one counts."""
    variables: dict[str, str] = {}
    for entry in block.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if name and equals:
            variables.setdefault(os.fsdecode(name), os.fsdecode(value))
    return variables


def without_dotenv_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the variables that such a file may have set. For systems without `/proc`."""
    from dotenv import dotenv_values, find_dotenv  # here, because Linux never needs it

    loaded = {
        pair
        for file in (".env", ".flaskenv")
        if (path := find_dotenv(file, usecwd=True))
        for pair in dotenv_values(path).items()
    }
    return {name: value for name, value in environ.items() if (name, value) not in loaded}
