"""Counters in a folder of the run: shared, taken over from the dead, and without any effect when they fail."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.receipt import Stored
from app.metrics import Metrics
from tests.support.serving import ROOT


@dataclass(frozen=True)
class Folder:
    path: Path

    def counted_together(self) -> list[Path]:
        return [self.path]


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Metrics]:
    metrics = Metrics(Folder(tmp_path))
    yield metrics
    assert metrics._files is not None
    metrics._files.close()
    Metrics()  # the numbers of the tests that follow are in memory again


def answered(metrics: Metrics, *, status: str = "200", route: str = "/") -> None:
    metrics.request_answered(route=route, method="GET", status=status, seconds=0.1)


def test_counters_of_two_processes_are_added(metrics: Metrics, tmp_path: Path) -> None:
    metrics.webhook_stored(Stored.ACCEPTED)

    count_in_a_process(tmp_path, "metrics.webhook_stored(Stored.ACCEPTED)")

    assert b'wats_webhooks_total{outcome="accepted"} 2.0' in metrics.exposition([])
    assert len(list(tmp_path.glob("*.lock"))) == 2


def test_a_process_goes_on_with_the_counts_of_one_that_has_ended(metrics: Metrics, tmp_path: Path) -> None:
    for _ in range(3):
        count_in_a_process(tmp_path, "metrics.webhook_stored(Stored.ACCEPTED)")

    assert b'wats_webhooks_total{outcome="accepted"} 3.0' in metrics.exposition([])
    assert len(list(tmp_path.glob("*.lock"))) == 2


def test_files_grow_with_the_number_of_counters(metrics: Metrics) -> None:
    for number in range(100):
        answered(metrics, route=f"/{number}")

    text = metrics.exposition([]).decode()

    assert text.count("wats_http_request_seconds_count{") == 100
    assert 'wats_http_request_seconds_count{method="GET",route="/99",status="200"} 1.0' in text


@pytest.mark.parametrize("bytes_allowed", [0, 100_000])
def test_a_full_disk_is_logged_once_and_the_process_counts_for_itself(tmp_path: Path, bytes_allowed: int) -> None:
    counting = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_allowed}, {bytes_allowed}))
metrics = Metrics(Folder(Path({str(tmp_path)!r})))
for number in range(100):
    metrics.request_answered(route=f"/{{number}}", method="GET", status="200", seconds=0.1)
print(metrics.exposition([]).decode())
"""

    ended = in_a_process(counting)

    assert ended.stdout.count("wats_http_request_seconds_count{") == 100
    assert ended.stderr.splitlines() == ["metrics.not_shared"]


def test_a_damaged_file_of_another_process_hides_no_counts_of_this_one(metrics: Metrics, tmp_path: Path) -> None:
    (tmp_path / "counter_slot-7.db").write_bytes(b"\xff" * 100)
    metrics.webhook_stored(Stored.ACCEPTED)

    assert b'wats_webhooks_total{outcome="accepted"} 1.0' in metrics.exposition([])


def test_an_error_in_counting_is_logged_once_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()

    for _ in range(3):
        metrics.request_answered(route="/", method="GET", status="200", seconds="soon")  # type: ignore[arg-type]

    assert [record.message for record in caplog.records] == ["metrics.failed"]


def count_in_a_process(folder: Path, count: str) -> None:
    in_a_process(f"metrics = Metrics(Folder(Path({str(folder)!r})))\n{count}")


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    imports = (
        "from pathlib import Path\nfrom app.domain.receipt import Stored\nfrom app.metrics import Metrics\n"
        "from tests.metrics.test_metrics_counters import Folder\n"
    )
    environ = {**os.environ, "COVERAGE_PROCESS_CONFIG": ""}  # coverage cannot write its file on a full disk either
    return subprocess.run(
        [sys.executable, "-c", imports + code],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
