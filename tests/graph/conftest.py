"""`meta`: a server on a real socket that follows a script. `sender`: a process that sends to it as a worker does."""

from collections.abc import Iterator

import pytest

from tests.support.destinations import ScriptedDestination
from tests.support.graph_sender import GraphSender


@pytest.fixture
def meta() -> Iterator[ScriptedDestination]:
    meta = ScriptedDestination()
    yield meta
    meta.close()


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphSender]:
    folder = tmp_path_factory.mktemp("sender")
    (folder / ".netrc").write_text("machine 127.0.0.1 login thief password stolen\n")
    proxy = "http://127.0.0.1:1"
    sender = GraphSender(folder, HOME=str(folder), http_proxy=proxy, HTTP_PROXY=proxy, ALL_PROXY=proxy)
    yield sender
    sender.close()
