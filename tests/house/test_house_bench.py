"""The benchmarks count what fails against what they measure, and their table has a figure for each goal."""

import json
import math
import os
import re
from pathlib import Path

import pytest

from bench import goals
from bench.frame import percentile
from bench.load import Result, joined
from bench.unique_pages import unique_megabytes
from tests.support.serving import ROOT

RECORDED = re.compile(r"""\brecord\(\s*f?"([a-z0-9_{}]+)"|"([a-z0-9_]+)": \[\]""")
"""A figure that a benchmark records by its name, or gathers under it to record the highest."""


def test_refused_requests_are_in_no_rate_and_later_than_all_others() -> None:
    quick = Result(1, 0.1, [0.01] * 990, {200: 990, 503: 5, 0: 5})

    assert quick.per_second == 990
    assert quick.failed == 10
    assert (quick.percentile(0.98), quick.percentile(0.99)) == (0.01, math.inf)


def test_requests_that_were_due_and_not_sent_count_as_failed() -> None:
    half = joined([Result(1, 0.1, [0.01] * 50, {200: 50}, unanswered=40), Result(1, 0.1, [0.02] * 50, {200: 50})])

    assert (half.failed, half.per_second) == (40, 50)
    assert (half.percentile(0.5), half.percentile(0.9)) == (0.02, math.inf)


def test_events_that_never_came_are_later_than_all_others() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([3, 1, 2], 0.5, of=4) == 3
    assert percentile([3, 1, 2], 0.99, of=4) == math.inf
    assert percentile([], 0.99, of=1) == math.inf


def test_each_goal_has_a_figure_that_some_benchmark_records() -> None:
    texts = [path.read_text() for path in (ROOT / "bench").glob("*.py")]
    recorded = {name for text in texts for found in RECORDED.findall(text) for name in found if name}
    patterns = [re.escape(name).replace(r"\{name\}", "[a-z]+") for name in recorded]

    missing = [goal.figure for goal in goals.GOALS if not any(re.fullmatch(each, goal.figure) for each in patterns)]

    assert missing == []


def test_the_table_says_of_each_goal_whether_it_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"webhooks_ratio": 0.7, "webhooks_p99": math.inf, "idle_memory": 150.1, "split_rate": 5000}
    lines = [json.dumps({"figure": name, "kind": "sqlite", "value": value}) for name, value in figures.items()]
    (tmp_path / "figures").write_text("\n".join(lines))

    goals.main(str(tmp_path / "figures"))

    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()[1:]]
    verdicts = [row[-1].strip() for row in rows]
    assert len(rows) == len(goals.GOALS)
    assert [verdicts.count(verdict) for verdict in ("met", "NOT MET")] == [2, 2]
    assert verdicts.count("not measured") == len(goals.GOALS) - 4


def test_a_page_that_two_processes_share_counts_once() -> None:
    here = os.getpid()

    assert unique_megabytes([here, here]) == pytest.approx(unique_megabytes([here]), rel=0.05)
