"""How far a long piece of work is: a bar where there is a terminal, else a plain line for each step."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

import click


class Step(NamedTuple):
    """One bounded step: how many it did something to, how many it looked at, how many are left to look at at most."""

    done: int
    seen: int
    left: int


def follow(label: str, steps: Iterable[Step]) -> int:
    """Take the steps and tell of each on standard error; how many something was done to, over all of them."""
    return _with_bar(label, steps) if sys.stderr.isatty() else _with_lines(label, steps)


def _with_lines(label: str, steps: Iterable[Step]) -> int:
    done = 0
    for step in steps:
        done += step.done
        click.echo(f"{label}: {done} so far, {step.left} left to look at", err=True)
    return done


def _with_bar(label: str, steps: Iterable[Step]) -> int:
    """What is left may shrink faster than what was seen: the end of the bar moves with it."""
    done = 0
    with click.progressbar(length=1, label=label, file=sys.stderr, show_pos=True) as bar:
        for step in steps:
            done += step.done
            bar.length = max(1, bar.pos + step.seen + step.left)
            bar.update(step.seen)
        bar.length = max(1, bar.pos)
        bar.update(bar.length - bar.pos)
    return done
