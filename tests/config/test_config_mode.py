"""The mode and our own variables: what starts live, and which texts of a variable are refused."""

from itertools import product
from pathlib import Path

import pytest

from app.config.errors import ConfigProblem, InvalidValue, Problems
from app.config.settings import Mode
from app.config.start.environment import parse_environ
from app.config.start.mode import choose_mode
from app.config.start.values import Flags, StartValues, read_values
from app.config.start_options import PORT, THREADS, YES_LIVE

FLAGS = ("dry_run", "live", "yes_live")
EVERY_CHOICE = list(product((None, "", "dry-run", "live", "staging"), (None, "1"), *[(False, True)] * 3))


def values_of(environ: dict[str, str], **flags: object) -> tuple[StartValues, list[ConfigProblem]]:
    """Return the values of every start option, and the problems met."""
    problems = Problems()
    return read_values(Flags(**flags), environ, problems), problems.found


@pytest.mark.parametrize(("mode", "yes", "dry_run", "live", "yes_live"), EVERY_CHOICE)
def test_live_mode_needs_both_yeses_and_no_dry_run(
    mode: str | None, yes: str | None, dry_run: bool, live: bool, yes_live: bool
):
    environ = {k: v for k, v in (("WATS_MODE", mode), ("WATS_YES_LIVE", yes)) if v is not None}
    values, _ = values_of(environ, dry_run=dry_run, live=live, yes_live=yes_live)
    problems = Problems()

    chosen = choose_mode(values, problems)

    first_yes = live or mode == "live"
    second_yes = yes_live or yes == "1"
    assert (chosen is Mode.LIVE and not problems.found) == (first_yes and second_yes and not dry_run)


@pytest.mark.parametrize("yes", ["0", "true", "yes", "on", "01", "1 ", " 1", "\uff11", "TRUE", "y"])
def test_only_the_digit_one_is_the_second_yes(yes: str):
    values, _ = values_of({"WATS_YES_LIVE": yes})

    assert not values[YES_LIVE]


@pytest.mark.parametrize("named_by", ["flag", "variable"])
def test_an_env_file_flag_beside_a_dry_run_is_refused(named_by: str):
    environ = {"WATS_MODE": "dry-run"} if named_by == "variable" else {}
    values, _ = values_of(environ, dry_run=named_by == "flag", env_file=Path("x"))
    problems = Problems()

    choose_mode(values, problems)

    assert [problem.code for problem in problems.found] == ["conflicting_flags"]


BAD_PORTS = [
    *("", "0", "00", "080", "+80", "-1", "65536", "99999", "9" * 5000),
    *("80 ", " 80", "8 0", "80\n", "8_0", "\u0668\u0660", "0x50", "1e3"),
]


@pytest.mark.parametrize("port", BAD_PORTS)
def test_a_malformed_platform_port_is_refused(port: str):
    with pytest.raises(InvalidValue):
        PORT.type.parse(port)


@pytest.mark.parametrize("port", BAD_PORTS[1:])
def test_our_own_port_variable_is_as_strict_as_the_platforms(port: str):
    _, problems = values_of({"WATS_PORT": port})

    assert [problem.path for problem in problems] == ["WATS_PORT"]


def test_the_link_that_kubernetes_sets_for_a_service_named_wats_is_no_port():
    values, problems = values_of({"WATS_PORT": "tcp://10.0.0.1:3000"})

    assert values.source(PORT) == "default"
    assert not problems


def test_the_first_of_two_equal_variables_counts_as_in_getenv():
    assert parse_environ(b"A=1\0A=2\0")["A"] == "1"


def test_an_entry_without_a_name_or_a_sign_is_no_variable():
    assert parse_environ(b"=x\0A\0B=\0C=d=e\0") == {"B": "", "C": "d=e"}


@pytest.mark.parametrize("variable", ["WEB_CONCURRENCY", "WATS_THREADS", "WATS_GRACE_SECONDS"])
@pytest.mark.parametrize("text", ["0", "-1", "1.0", " 3", "+3", "03", "x", "1_0"])
def test_a_number_in_the_environment_is_written_in_plain_digits(variable: str, text: str):
    _, problems = values_of({variable: text})

    assert [(problem.code, problem.path) for problem in problems] == [("bad_variable", variable)]


def test_all_wrong_variables_are_reported_together_and_an_empty_one_is_unset():
    values, problems = values_of({"WATS_PORT": "x", "WATS_HOST": "a b", "WATS_PAAS": "yes", "WATS_THREADS": ""})

    assert {problem.path for problem in problems} == {"WATS_PORT", "WATS_HOST", "WATS_PAAS"}
    assert values.source(THREADS) == "default"
