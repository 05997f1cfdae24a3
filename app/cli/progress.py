"""Report the progress of long work on standard error: a bar on a terminal, else a line for each step but the last."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

import click


class Step(NamedTuple):
    """One bounded step of the work.

    `done` counts the items that it changed, `checked` the ones that it looked at, `left` is the largest possible
    number of items still to be checked. `more`: another step follows.
    """

    done: int
    checked: int
    left: int
    more: bool


def report_progress(label: str, steps: Iterable[Step]) -> int:
    """Run the steps and report each one; return how many items were changed in all."""
    return _with_bar(label, steps) if sys.stderr.isatty() else _with_lines(label, steps)


def _with_lines(label: str, steps: Iterable[Step]) -> int:
    done, printed = 0, ""
    for step in steps:
        done += step.done
        line = f"{label}: {done} done" + (f", {step.left} left to check" if step.left else "")
        if step.more and line != printed:
            click.echo(line, err=True)
            printed = line
    return done


def _with_bar(label: str, steps: Iterable[Step]) -> int:
    """Move the end of the bar with each step: `left` may shrink faster than `checked` grows."""
    done = 0
    with click.progressbar(length=1, label=label, file=sys.stderr, show_pos=True) as bar:
        for step in steps:
            done += step.done
            bar.length = max(1, bar.pos + step.checked + step.left)
            bar.update(step.checked)
        bar.length = max(1, bar.pos)
        bar.update(bar.length - bar.pos)
    return done


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as `1 event` or `2 deliveries`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
