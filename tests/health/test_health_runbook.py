"""What an alert means and what to do is told by the program itself: by a command, and by a page of the gateway."""

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import wats
from app.cli.runbook import runbook_command
from app.health.alert_kinds import ALERT_KINDS, FAILING
from app.health.alerts import CHECK_CURES, REFUSAL_CURES
from app.health.prometheus_rules import RULES


def runbook(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(runbook_command, arguments)
    return ended.exit_code, " ".join(ended.output.split())


def test_a_runbook_is_printed_by_its_code() -> None:
    code, printed = runbook("failing")

    assert (code, FAILING.meaning in printed, FAILING.steps in printed) == (0, True, True)


def test_the_runbook_of_a_rule_of_prometheus_is_printed_by_its_name() -> None:
    assert "wats_disk_free_bytes" in runbook("WatsDiskFull")[1]


def test_all_alerts_are_listed_without_a_code() -> None:
    printed = runbook()[1].split()

    assert {kind.code for kind in ALERT_KINDS} <= set(printed)


TEXTS = [
    *(text for kind in ALERT_KINDS for text in (kind.cure, kind.meaning, kind.steps)),
    *(rule.steps for rule in RULES),
    *REFUSAL_CURES.values(),
    *CHECK_CURES.values(),
]
TOLD = sorted({command for text in TEXTS for command in re.findall(r"`flask wats ([^`]+)`", text)})


def unknown_in(words: list[str]) -> Iterator[str]:
    """Yield what the commands do not know of this one: a name of a command, or an option."""
    command: click.Command = wats
    for word in words:
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                yield word
                return
            command = found
        elif word.startswith("--") and word not in [name for each in command.params for name in each.opts]:
            yield word


@pytest.mark.parametrize("told", TOLD)
def test_every_command_that_an_operator_reads_at_night_exists(told: str) -> None:
    assert list(unknown_in(told.split())) == []


def test_an_unknown_code_is_refused_with_the_nearest_one() -> None:
    assert runbook("faling") == (1, "error: no alert has this code; did you mean failing?")
    assert runbook("x") == (1, "error: no alert has this code; `flask wats runbook` lists all codes")


def test_no_runbook_leads_to_a_document_that_an_image_does_not_hold(client: FlaskClient) -> None:
    page = client.get("/runbooks")

    assert page.status_code == 200
    assert "script" not in re.sub(r"<!--.*?-->", "", page.text)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert set(re.findall(r'(?:href|src)="([^"]+)"', page.text)) == {"docs/favicon-32x32.png", "docs/home.css"}
    assert [kind.code for kind in ALERT_KINDS if "docs/" in kind.cure] == []
