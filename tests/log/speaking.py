"""A service that logs what it is asked for: it reads commands in JSON, one a line, and says `done` after each."""

import json
import logging
import os
import resource
import sys
from pathlib import Path

from app.log import configure_logging, flush_output, lines_lost, take_over_output

log = logging.getLogger("app.test")

LONG = "x" * 1000


def say(number: int, times: int = 1) -> None:
    """Log this many lines."""
    for _ in range(times):
        log.info("test.said", extra={"attempt": number, "reason": LONG})


def fork(*numbers: int, times: int) -> None:
    """Log from children of this process, which live until the input ends, and from itself."""
    for number in numbers:
        if os.fork() == 0:
            say(number, times)
            sys.stdin.read()
            sys.exit()
    say(0, times)


def allow_files_of(size: int | None) -> None:
    """Let no file of this process grow beyond this size, as a full disk would."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def say_beside_an_open_file(path: str) -> None:
    """Log a line while a file is open, and write into the file."""
    with Path(path).open("w") as file:
        say(0)
        flush_output()
        file.write("only this")


def main() -> None:
    take_over_output()
    configure_logging()
    for line in sys.stdin:
        name, arguments, keywords = json.loads(line)
        result = lines_lost() if name == "lost" else globals()[name](*arguments, **keywords)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
