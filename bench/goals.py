"""The goals of the benchmarks, and one table of what was measured.

    BENCH_FIGURES=FILE python -m bench.deliver …
    python -m bench.goals FILE

A benchmark records its figures in the file that BENCH_FIGURES names. Most goals are ratios or processor time, so that
a run on another machine can be compared.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """A figure's limit: at most `most` or at least `least`."""

    figure: str
    kind: str
    what: str
    least: float | None = None
    most: float | None = None
    unit: str = ""

    def row(self, value: float | None) -> tuple[str, ...]:
        """Return the row of the table: what, on which database, figure, goal, ratio of the two, met or not."""
        limit = self.most if self.least is None else self.least
        assert limit is not None
        goal = f"{'at most' if self.least is None else 'at least'} {limit:g}{self.unit}"
        if value is None:
            return self.what, self.kind, "", goal, "", "not measured"
        is_met = value <= limit if self.least is None else value >= limit
        return (
            self.what,
            self.kind,
            f"{value:.3g}{self.unit}",
            goal,
            f"{value / limit:.2f}",
            "met" if is_met else "NOT MET",
        )


def _goals(kind: str, *, drain: float, own: float) -> list[Goal]:
    return [
        Goal("webhooks_ratio", kind, "webhooks, 64 connections: ratio to an empty Flask route", least=0.7),
        Goal("webhooks_p99", kind, "4,000 webhooks/s: p99", most=250, unit=" ms"),
        Goal("drain_ratio", kind, "a backlog drains: ratio to the bare client's rate", least=drain),
        Goal("deep_ratio", kind, "a deep backlog drains: ratio to a small one", least=0.9),
        Goal("second_worker", kind, "a second worker with a processor of its own: ratio to one worker", least=1.5),
        Goal("drain_webhooks_p99", kind, "webhooks while a backlog drains: p99", most=250, unit=" ms"),
        Goal("steady_lag_p99", kind, "steady 0.3 of the bare client's rate: p99 lag", most=300, unit=" ms"),
        Goal("steady_webhooks_p99", kind, "webhooks meanwhile: p99", most=250, unit=" ms"),
        Goal(
            "own_milliseconds",
            kind,
            "worker's processor time to deliver an event, without the POST",
            most=own,
            unit=" ms",
        ),
        Goal("split_rate", kind, "events/s split out of batches of 1000, two destinations", least=5000),
        Goal("serve_seconds", kind, "processor time until `serve` is ready", most=1.5, unit=" s"),
        Goal("status_seconds", kind, "processor time of `flask wats status`", most=0.35, unit=" s"),
        Goal("idle_memory", kind, "memory of `serve`, idle", most=150, unit=" MB"),
        Goal("load_memory", kind, "memory of `serve` under load", most=200, unit=" MB"),
        Goal("accept_ratio_single", kind, "messages accepted without keys: ratio to an empty route", least=0.5),
        Goal("accept_ratio_keyed", kind, "messages accepted with keys: ratio to an empty route", least=0.5),
        Goal("accept_ratio_batched", kind, "messages accepted in batches of 100: ratio to an empty route", least=0.5),
        Goal("burst_rate", kind, "messages/s accepted in a burst", least=1000),
        Goal("send_rate", kind, "messages/s sent by one worker, Meta answers after 100 ms", least=500),
        Goal("send_lag_p99", kind, "80 messages/s: p99 from request to POST", most=200, unit=" ms"),
        Goal("pacing_deviation", kind, "four workers at 80/s: deviation", most=2, unit=" %"),
        Goal("supervisor_memory", kind, "memory of the supervisor", most=15, unit=" MB"),
    ]


GOALS = [
    *_goals("sqlite", drain=0.65, own=0.5),
    *_goals("postgresql", drain=0.6, own=0.6),
    Goal("round_trips", "postgresql", "round trips to the database for a delivered event", most=0.3),
]


def record(figure: str, kind: str, value: float) -> None:
    """Record a figure, if a file for figures is named."""
    if name := os.environ.get("BENCH_FIGURES"):
        with Path(name).open("a") as file:
            file.write(json.dumps({"figure": figure, "kind": kind, "value": value}) + "\n")


def main(name: str) -> None:
    """Print the table of all goals, with the last figure of each."""
    lines = [json.loads(line) for line in Path(name).read_text().splitlines()]
    figures = {(line["figure"], line["kind"]): line["value"] for line in lines}
    rows = [("goal", "database", "figure", "limit", "ratio", "")]
    rows += [goal.row(figures.get((goal.figure, goal.kind))) for goal in GOALS]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main(sys.argv[1])
