"""Nothing waits for a log: what cannot be written is given up and counted, and the number is told."""

import fcntl
import json
import os
import select
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import ROOT
from tests.support.waiting import DEADLINE_SECONDS, wait_for

ONE_PAGE = 4096
FLOOD = 3000
"""More lines of 1 KB than a pipe and the queue hold."""

TIMES = 100

Lines = list[dict[str, Any]]


class Speaker:
    """A process of `speaking.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def asked(self, name: str, *arguments: Any, **keywords: Any) -> Any:
        """Let it do something; return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([name, arguments, keywords]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextmanager
def speaking(stderr: Any) -> Iterator[Speaker]:
    """Run a speaker while the block runs; it must end with 0."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.log.speaking"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as process:
        yield Speaker(process)
        process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0


def read_from(descriptor: int) -> Lines:
    """Return a list that gets the lines of a pipe as they come."""
    lines: Lines = []

    def read() -> None:
        with os.fdopen(descriptor) as file:
            lines.extend(map(json.loads, file))

    threading.Thread(target=read, daemon=True).start()
    return lines


def told(lines: Lines) -> int:
    """How many lost lines these lines tell."""
    return sum(line["lines"] for line in lines if line["event"] == "log.lines_lost")


def said(lines: Lines) -> list[int]:
    return [line["attempt"] for line in lines if line["event"] == "test.said"]


def lines_of(text: str) -> Lines:
    return [json.loads(line) for line in text.splitlines()]


def test_a_reader_that_stalls_stops_no_process_and_reads_how_much_it_missed() -> None:
    reader, writer = os.pipe()
    with speaking(writer) as speaker:
        os.close(writer)
        speaker.asked("say", 1, FLOOD)
        assert speaker.asked("lost") > 0

        lines = read_from(reader)
        wait_for(lambda: speaker.asked("say", 2) or 2 in said(lines))
        lost = speaker.asked("lost")
        wait_for(lambda: told(lines) == lost)

    assert len(said(lines)) >= FLOOD - lost


def test_a_reader_that_goes_away_and_comes_back_reads_how_much_it_missed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader, writer = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.open(pipe, os.O_WRONLY)
    with speaking(writer) as speaker:
        os.close(writer)
        os.close(reader)
        speaker.asked("say", 1, 2)
        wait_for(lambda: speaker.asked("lost") == 2)

        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        speaker.asked("say", 2)
        wait_for(lambda: has_data(reader))
    lines = lines_of(os.read(reader, 65536).decode())
    os.close(reader)

    assert [line["event"] for line in lines] == ["log.lines_lost", "test.said"]
    assert told(lines) == 2


def has_data(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_a_full_disk_costs_lines_and_no_process() -> None:
    with Path("/dev/full").open("w") as full, speaking(full) as speaker:
        speaker.asked("say", 1, TIMES)

        wait_for(lambda: speaker.asked("lost") == TIMES)


def test_a_line_after_one_that_the_full_disk_tore_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("a") as file, speaking(file) as speaker:
        speaker.asked("allow_files_of", 1500)
        for lost in range(3):
            speaker.asked("say", lost)
            wait_for(lambda lost=lost: log.stat().st_size and speaker.asked("lost") == lost)
        speaker.asked("allow_files_of", None)
        speaker.asked("say", 3)

    first, torn, *rest = log.read_text().splitlines()
    assert said(lines_of(first)) == [0]
    assert not torn.endswith("}")
    assert (told(lines_of("\n".join(rest))), said(lines_of("\n".join(rest)))) == (2, [3])


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "made non-blocking by another process"])
def test_lines_of_several_processes_are_whole_and_none_is_lost_or_doubled(blocking: bool) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, ONE_PAGE)
    os.set_blocking(writer, blocking)
    lines = read_from(reader)
    with speaking(writer) as speaker:
        os.close(writer)
        speaker.asked("say", 0, TIMES)

        speaker.asked("fork", 1, 2, times=TIMES)

        wait_for(lambda: len(lines) == 4 * TIMES)
    assert Counter(said(lines)) == {0: 2 * TIMES, 1: TIMES, 2: TIMES}


def test_a_closed_standard_error_is_no_file_that_is_opened_later(tmp_path: Path) -> None:
    file = tmp_path / "file"
    command = ["sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-m", "tests.log.speaking"]

    asked = json.dumps(["say_beside_an_open_file", [str(file)], {}])
    subprocess.run(command, cwd=ROOT, input=asked, text=True, check=True, timeout=DEADLINE_SECONDS)

    assert file.read_text() == "only this"
