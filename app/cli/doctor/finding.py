"""A finding: one thing that was looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. Only an error makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`check` is a stable name for machines; `cure` says what to do next, and where. Neither holds a secret."""

    check: str
    level: Level
    message: str
    cure: str = ""


def fine(check: str, message: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, cure: str) -> Finding:
    """Return something that works now and may not be meant, or may not work for long."""
    return Finding(check, Level.WARNING, message, cure)


def error(check: str, message: str, cure: str) -> Finding:
    """Return something that keeps the gateway from working."""
    return Finding(check, Level.ERROR, message, cure)
