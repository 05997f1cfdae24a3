"""The files of deploy/ingress, run with nginx and Caddy: what they let through, and what arrives behind them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.proxies import INGRESS, REFUSED, Proxy, Start, caddy, nginx, nginx_of_compose, program, proxying
from tests.support.relay import Relay, relaying
from tests.support.serving import Running, serving
from tests.support.webhooks import PATH, body_of, signed

META = "client.webhooks.fbclientcerts.com"
HOST = "client.example.com"
TOLD = "x-client-verify"
FORGED = {"X-Client-Verify": "SUCCESS"}


def needing(name: str, start: Start) -> pytest.param:  # type: ignore[valid-type]
    return pytest.param(start, id=name, marks=pytest.mark.skipif(program(name) is None, reason=f"no {name} here"))


PLAIN = [needing("nginx", nginx("wats.conf")), needing("caddy", caddy("Caddyfile"))]
MUTUAL = [needing("nginx", nginx("wats-mtls.conf")), needing("caddy", caddy("Caddyfile.mtls"))]


@dataclass
class Clients:
    """Certificates of clients. `root` has issued them by an intermediate, as Meta does."""

    root: trustme.CA
    meta: trustme.LeafCert
    strangers: dict[str, trustme.LeafCert]


@pytest.fixture(scope="module")
def clients() -> Clients:
    root, other = trustme.CA(), trustme.CA()
    intermediate = root.create_child_ca()
    strangers = {
        "another name": intermediate.issue_cert(HOST, common_name=HOST),
        "a longer name": intermediate.issue_cert(HOST, common_name=f"{META}.example.com"),
        "the name in another field": intermediate.issue_cert(
            HOST, common_name=HOST, organization_name=f"x,CN={META}"
        ),
        "another root": other.create_child_ca().issue_cert(META, common_name=META),
    }
    return Clients(root, intermediate.issue_cert(META, common_name=META), strangers)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("behind")) as running:
        yield running


@pytest.fixture(scope="module")
def relay(gateway: Running) -> Iterator[Relay]:
    with relaying(gateway.port) as relay:
        yield relay


@pytest.fixture(autouse=True)
def forget(relay: Relay) -> None:
    relay.arrived.clear()


@pytest.fixture(scope="module", params=PLAIN)
def plain(
    request: pytest.FixtureRequest, relay: Relay, clients: Clients, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with proxying(tmp_path_factory.mktemp("plain"), request.param, relay.port, clients.root) as proxy:
        yield proxy


@pytest.fixture(scope="module", params=MUTUAL)
def mutual(
    request: pytest.FixtureRequest, relay: Relay, clients: Clients, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    with proxying(tmp_path_factory.mktemp("mutual"), request.param, relay.port, clients.root) as proxy:
        yield proxy


def post(proxy: Proxy, *, certificate: trustme.LeafCert | None = None, path: str = PATH, **headers: str) -> int:
    """Post a signed webhook; return the status."""
    body = body_of()
    return proxy.ask("POST", path, body, {**signed(body), **headers}, certificate)[0]


def test_a_webhook_passes_through_and_its_body_arrives_unchanged(plain: Proxy) -> None:
    assert post(plain) == 200


def test_a_webhook_of_three_megabytes_passes_and_one_of_five_does_not(plain: Proxy, relay: Relay) -> None:
    accepted, refused = body_of("x" * 3_000_000), body_of("x" * 5_000_000)

    assert plain.ask("POST", PATH, accepted, signed(accepted))[0] == 200
    assert plain.ask("POST", PATH, refused, signed(refused))[0] in (413, REFUSED)
    assert [path for path, _ in relay.arrived] == [PATH]


@pytest.mark.parametrize("path", ["/api/media", "/api/graph/v25.0/1/media"])
def test_a_file_that_is_larger_than_a_webhook_passes(plain: Proxy, relay: Relay, path: str) -> None:
    status, _ = plain.ask("POST", path, bytes(5_000_000), {"Content-Type": "application/json"})

    assert status == 401
    assert [arrived for arrived, _ in relay.arrived] == [path]


@pytest.mark.parametrize("path", ["/status", "/metrics", "/debug/diagnostics", "/%73tatus", "//metrics"])
def test_what_only_operators_need_is_hidden(plain: Proxy, relay: Relay, path: str) -> None:
    assert plain.ask("GET", path)[0] == 404
    assert relay.arrived == []


def test_metas_certificate_passes_and_the_upstream_reads_the_result(
    mutual: Proxy, relay: Relay, clients: Clients
) -> None:
    assert post(mutual, certificate=clients.meta, **FORGED) == 200
    [(path, headers)] = relay.arrived
    assert (path, headers[TOLD]) == (PATH, "SUCCESS")


def test_metas_certificate_does_not_replace_the_signature(mutual: Proxy, clients: Clients) -> None:
    status, _ = mutual.ask("POST", PATH, body_of(), {"Content-Type": "application/json"}, clients.meta)

    assert status == 401


@pytest.mark.parametrize("who", ["another name", "a longer name", "the name in another field"])
def test_another_certificate_of_metas_root_is_refused(
    mutual: Proxy, relay: Relay, clients: Clients, who: str
) -> None:
    assert post(mutual, certificate=clients.strangers[who]) == 403
    assert relay.arrived == []


def test_a_certificate_of_another_root_is_refused(mutual: Proxy, relay: Relay, clients: Clients) -> None:
    assert post(mutual, certificate=clients.strangers["another root"]) in (400, REFUSED)
    assert relay.arrived == []


@pytest.mark.parametrize("path", [PATH, "/webhooks/%77hatsapp", "//webhooks/whatsapp", "/x/../webhooks/whatsapp"])
@pytest.mark.parametrize("headers", [{}, FORGED], ids=["silent", "forged"])
def test_no_certificate_is_refused_whatever_the_client_claims(
    mutual: Proxy, relay: Relay, path: str, headers: dict[str, str]
) -> None:
    assert post(mutual, path=path, **headers) == 403
    assert relay.arrived == []


def test_other_paths_need_no_certificate_and_a_forged_header_ends_at_the_proxy(mutual: Proxy, relay: Relay) -> None:
    assert mutual.ask("GET", "/healthz", headers=FORGED)[0] == 200
    [(_, headers)] = relay.arrived
    assert TOLD not in headers


def test_what_only_operators_need_is_hidden_with_mtls_too(mutual: Proxy, relay: Relay, clients: Clients) -> None:
    assert mutual.ask("GET", "/metrics", certificate=clients.meta)[0] == 404
    assert relay.arrived == []


@pytest.mark.skipif(program("nginx") is None, reason="no nginx here")
def test_composes_load_balancer_passes_webhooks_and_hides_what_only_operators_need(
    relay: Relay, clients: Clients, tmp_path: Path
) -> None:
    body = body_of()
    with proxying(tmp_path, nginx_of_compose, relay.port, clients.root) as proxy:
        balancer = Running(proxy.process, proxy.port, tmp_path, {})
        answers = [balancer.ask("POST", PATH, body, signed(body))[0], balancer.ask("GET", "/metrics")[0]]

    assert answers == [200, 404]
    assert [path for path, _ in relay.arrived] == [PATH]


PAIRS = [("nginx/wats.conf", "nginx/wats-mtls.conf"), ("caddy/Caddyfile", "caddy/Caddyfile.mtls")]


@pytest.mark.parametrize(("without", "with_mtls"), PAIRS)
def test_a_file_with_mtls_has_every_setting_of_the_one_without(without: str, with_mtls: str) -> None:
    lines = [(INGRESS / file).read_text().splitlines() for file in (without, with_mtls)]
    settings = [{line.strip() for line in each if not line.lstrip().startswith("#")} for each in lines]

    assert settings[0] - settings[1] == set()
