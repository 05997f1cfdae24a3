"""What a command line said. Everything is optional: the environment and the profile fill the rest."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flags:
    """Flags as given; they win over the environment.

    `listens` is the command's own: who opens no port needs no `$PORT`, which platforms give to web processes only.
    """

    config: Path | None = None
    profile: str | None = None
    dry_run: bool = False
    live: bool = False
    yes_live: bool = False
    env_file: Path | None = None
    host: str | None = None
    port: int | None = None
    paas: bool = False
    workers: int | None = None
    threads: int | None = None
    push: bool = False
    listens: bool = True
