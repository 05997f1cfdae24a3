"""`flask wats sending …` against a running service."""

from datetime import UTC, datetime

from app.domain.meta.graph_errors import ErrorClass
from app.domain.scope_pause import ScopePause
from app.store import Store
from app.store.tables.scopes import put_scope
from tests.support.serving import Running, run

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
PAUSE = ScopePause("app", ErrorClass.STOPPED, 190, "190/463: expired", NOON, None, 1)


def test_what_is_paused_is_listed_and_resumed(service: Running, stored: Store) -> None:
    stored.write(lambda c: put_scope(c, PAUSE))

    listed = run("sending", "list", environ=service.environ)
    resumed = run("sending", "resume", "app", environ=service.environ)
    again = run("sending", "resume", "app", "--json", environ=service.environ)

    assert listed.stdout.splitlines()[1].split()[:3] == ["app", "stopped", "190"]
    assert (resumed.returncode, resumed.stdout) == (0, "done: messages are sent again in the scope app\n")
    assert again.returncode == 1
    assert "nothing is paused" in run("sending", "list", environ=service.environ).stderr
