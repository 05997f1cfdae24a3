"""Headers of a proxy, real or forged, change neither the route of a request nor its answer."""

from collections.abc import Iterator

import pytest

from tests.support.serving import Running, serving
from tests.support.webhooks import PATH, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("proxied")) as running:
        yield running


def test_no_header_changes_the_path_of_a_request(running: Running) -> None:
    status, _ = running.ask("GET", "/elsewhere/healthz", headers={"SCRIPT_NAME": "/elsewhere"})

    assert status == 404


def test_a_request_to_become_a_websocket_tells_no_hidden_route(running: Running) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "X-Request-Id": "same"}

    hidden, unknown = (running.ask("GET", path, headers=headers) for path in ("/status", "/nowhere"))

    assert hidden == unknown
    assert hidden[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"SCRIPT_NAME": "/elsewhere"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"},
        {"X-Forwarded-Protocol": "ssl", "X-Forwarded-Proto": "http"},
        {"Forwarded": "for=192.0.2.1;proto=http", "X-Forwarded-Prefix": "/elsewhere"},
    ],
)
def test_a_webhook_with_proxy_headers_is_accepted(running: Running, headers: dict[str, str]) -> None:
    body = body_of(str(headers))

    status, answer = running.ask("POST", PATH, body, {**signed(body), **headers})

    assert (status, answer) == (200, b'{"status":"accepted"}')
