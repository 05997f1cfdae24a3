"""Which command a process runs, as its arguments tell before anything else is imported."""

import pytest

from app.startup.early_stop import command_of


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["/opt/venv/bin/flask", "wats", "serve", "--live"], "serve"),
        (["flask", "--app", "wsgi", "wats", "worker"], "worker"),
        (["/usr/local/bin/wats", "serve"], "serve"),
        (["/usr/local/bin/serve", "--port", "3000"], "serve"),
        (["wats", "destinations", "test", "worker"], "destinations"),
        (["/usr/local/bin/db", "upgrade"], "db"),
        (["wats"], "wats"),
        (["flask", "wats"], "flask"),
    ],
)
def test_a_command_is_known_by_its_arguments(arguments: list[str], command: str) -> None:
    assert command_of(arguments) == command
