"""How many files and sockets a process may open at once. Each connection of a client needs one."""

import resource
from contextlib import suppress

RESERVED_DESCRIPTORS = 200
"""Descriptors that no client uses: the database, the log, the counters, the pipes that wake other processes."""

NEEDED_DESCRIPTORS = RESERVED_DESCRIPTORS + 56
WANTED = (65536, 10240)  # macOS accepts no more than the second, whatever its hard limit says


def raise_descriptor_limit() -> int:
    """Raise the soft limit, usually 1024, which long polls soon exhaust; return the new limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for target in WANTED:
        limit = target if hard == resource.RLIM_INFINITY else min(hard, target)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return limit
    return soft


def too_few_descriptors(limit: int) -> str:
    """Return a warning for the operator if processes may open too few descriptors."""
    return (
        f"RLIMIT_NOFILE: a process may open {limit} files and sockets, and {NEEDED_DESCRIPTORS} are needed; raise the"
        " hard limit (`ulimit -Hn`, LimitNOFILE= of systemd, --ulimit nofile= of Docker) [few_descriptors]"
    )
