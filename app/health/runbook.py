"""The runbooks: for each alert what it means and what to do, as the command and the page of the gateway show them.

`docs/runbooks.md` is generated from them too. An image holds no documents, so that nothing here needs one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.health.alert_kind import AlertKind, Urgency
from app.health.alert_kinds import ALERT_KINDS
from app.health.prometheus_rules import RULES, Rule

WHEN = {Urgency.PAGE: "now, because customers notice or soon will.", Urgency.TICKET: "today."}

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True)
class Runbook:
    """The meaning of an alert and the steps to cure it, in Markdown. `facts`: each with its name."""

    name: str
    meaning: str
    facts: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        """The part of its address behind the page's."""
        return anchor_of(self.name)

    def text(self) -> Iterator[str]:
        """Yield its lines for a terminal."""
        yield from (self.name, "", _without_links(self.meaning))
        for name, fact in self.facts:
            yield from ("", f"{name}: {_without_links(fact)}")


def anchor_of(name: str) -> str:
    """Return the anchor of an alert's heading."""
    return name.lower()


def _of_kind(kind: AlertKind) -> Runbook:
    subject = (("Subject", f"{kind.subject}."),) if kind.subject else ()
    return Runbook(kind.code, kind.meaning, (("How soon", WHEN[kind.urgency]), *subject, ("What to do", kind.steps)))


def _of_rule(rule: Rule) -> Runbook:
    facts = (("How soon", WHEN[rule.urgency]), ("Rule", f"`{rule.expression}`"), ("What to do", rule.steps))
    return Runbook(rule.name, rule.summary, facts)


OF_GATEWAY = tuple(map(_of_kind, ALERT_KINDS))
OF_PROMETHEUS = tuple(map(_of_rule, RULES))
RUNBOOKS = {runbook.anchor: runbook for runbook in (*OF_GATEWAY, *OF_PROMETHEUS)}


def runbooks_html() -> str:
    """Return the sections of all runbooks as HTML, each with its anchor."""
    return Markup("\n").join(map(_section, RUNBOOKS.values()))


def _section(runbook: Runbook) -> Markup:
    facts = Markup().join(Markup("<dt>{}</dt><dd>{}</dd>").format(name, _html(fact)) for name, fact in runbook.facts)
    return Markup('<section id="{}"><h2>{}</h2><p>{}</p><dl>{}</dl></section>').format(
        runbook.anchor, runbook.name, _html(runbook.meaning), facts
    )


def _html(text: str) -> Markup:
    """Return the text with the parts in backticks as code."""
    pieces = enumerate(_without_links(text).split("`"))
    return Markup().join(Markup("<code>{}</code>").format(piece) if at % 2 else escape(piece) for at, piece in pieces)


def _without_links(text: str) -> str:
    """Return the text with each link as its words: what it leads to is not there."""
    return _LINK.sub(r"\1", text)
