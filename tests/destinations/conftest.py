"""`destination`: one that follows a script. `pusher`: a process that posts to it as a worker does."""

from collections.abc import Iterator

import pytest

from tests.support.destinations import ScriptedDestination
from tests.support.pusher import Pusher


@pytest.fixture
def destination() -> Iterator[ScriptedDestination]:
    destination = ScriptedDestination()
    yield destination
    destination.close()


@pytest.fixture(scope="module")
def pusher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusher]:
    pusher = Pusher(tmp_path_factory.mktemp("pusher"))
    yield pusher
    pusher.close()
