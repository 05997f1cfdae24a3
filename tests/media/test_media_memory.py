"""Files pass through the processes and are not held: memory stays flat, however large a file is.

The long tier takes the largest that Meta takes, the daily one a third of it.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.media.conftest import gateway_for
from tests.media.forms import ask, file, form, in_pieces, upload
from tests.media.scripted_meta import FileAtMeta, ScriptedMeta
from tests.media.test_media_fetch import receive, wait_until
from tests.support.serving import Running

MEGABYTE = 1024 * 1024
AT_ONCE = 3
MAX_GROWTH = 24 * MEGABYTE
"""Less than one file of the daily tier, and three pass at a time; a busy machine holds a few pieces more of each."""

PEAK = "VmHWM:"


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, shared_meta: ScriptedMeta, unmeasured: None
) -> Iterator[Running]:
    """Run a gateway of its own: what coverage holds of a process is not what is measured here."""
    with gateway_for(shared_meta, tmp_path_factory.mktemp("memory")) as running:
        yield running


@pytest.fixture
def size(request: pytest.FixtureRequest) -> int:
    return (99 if request.config.getoption("--long") else 32) * MEGABYTE


def peaks(served: Running) -> dict[int, int]:
    """Return the most memory that each process of the gateway has had, in bytes."""
    lines = {pid: Path(f"/proc/{pid}/status").read_text().splitlines() for pid in served.pids()}
    return {
        pid: int(line.split()[1]) * 1024 for pid, status in lines.items() for line in status if line.startswith(PEAK)
    }


def grown(served: Running, before: dict[int, int]) -> int:
    """Return by how much the process has grown that has grown most."""
    return max(peak - before[pid] for pid, peak in peaks(served).items() if pid in before)


def at_once(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_uploads_take_no_memory(served: Running, meta: ScriptedMeta, size: int) -> None:
    head, tail = form(file(b"", "application/pdf", "a.pdf")).split(b"\r\n\r\n", 1)
    head += b"\r\n\r\n"
    answers = [upload(served, form(file()))]
    before = peaks(served)

    def send() -> None:
        length = str(len(head) + size + len(tail))
        answers.append(upload(served, in_pieces(head, size, tail), Content_Length=length))

    at_once(send)

    assert [answer.status for answer in answers] == [201] * (AT_ONCE + 1)
    assert [answer.json["size"] for answer in answers[1:]] == [size] * AT_ONCE
    assert grown(served, before) < MAX_GROWTH


def test_downloads_and_kept_files_take_no_memory(served: Running, meta: ScriptedMeta, size: int) -> None:
    meta.files.update({"51": FileAtMeta(b"a"), "52": FileAtMeta(size=size, mime_type="application/pdf")})
    receive(served, "51")
    wait_until(served, "51", "stored")
    sizes = [downloaded(served, "51")]
    before = peaks(served)

    at_once(lambda: sizes.append(downloaded(served, "52")))
    receive(served, "52")
    wait_until(served, "52", "stored")
    meta.files.clear()
    at_once(lambda: sizes.append(downloaded(served, "52")))

    assert sizes == [1, *[size] * (2 * AT_ONCE)]
    assert grown(served, before) < MAX_GROWTH


def downloaded(served: Running, media_id: str) -> int:
    """Download a file; return how many bytes came."""
    return len(ask(served, "GET", f"/media/{media_id}/content").body)
