"""Which addresses are posted to, and that this machine's environment does not matter."""

import socket
from pathlib import Path

import pytest

from tests.support.destinations import ScriptedDestination
from tests.support.pusher import Pusher
from tests.support.serving import free_port

REFUSED = "address refused"
NEVER = """
    169.254.169.254 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [fe80::1] [fd00:ec2::254] 100.100.100.200 0.0.0.0 [::]
    [::ffff:0.0.0.0] 224.0.0.1 [ff02::1] 2852039166 turned.test
"""


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", NEVER.split())
def test_an_address_that_is_never_connected_is_refused_in_every_form(pusher: Pusher, host: str) -> None:
    assert pusher.post(f"http://{host}/latest/meta-data/").words == REFUSED
    assert pusher.post(f"https://{host}:8443/").words == REFUSED


def test_a_client_for_this_machine_connects_to_nothing_beyond_it(
    destination: ScriptedDestination, pusher: Pusher
) -> None:
    assert pusher.post(destination.url, only_this_machine=True).words == 200
    assert pusher.post(f"http://127.0.0.9:{free_port()}/", only_this_machine=True).words == "connection refused"
    for host in ("192.0.2.1", "10.0.0.1", "[2001:db8::1]", "[::ffff:10.0.0.1]"):
        assert pusher.post(f"http://{host}/", only_this_machine=True).words == REFUSED


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_destination_may_have_an_ipv6_address(pusher: Pusher) -> None:
    destination = ScriptedDestination("::1")

    assert pusher.post(destination.url, only_this_machine=True).words == 200
    assert destination.calls[0].headers["host"] == f"[::1]:{destination.port}"
    destination.close()


def test_neither_a_proxy_nor_a_netrc_of_the_environment_counts(
    destination: ScriptedDestination, tmp_path: Path
) -> None:
    proxy = ScriptedDestination()
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login planted password planted\ndefault login planted password planted\n")
    netrc.chmod(0o600)
    proxies = {f"{scheme}_proxy": f"http://127.0.0.1:{proxy.port}" for scheme in ("http", "https", "all", "HTTP")}
    pusher = Pusher(tmp_path, NETRC=str(netrc), HOME=str(tmp_path), REQUESTS_CA_BUNDLE="/nonsense", **proxies)

    assert pusher.post(destination.url).words == 200

    assert "authorization" not in destination.calls[0].headers
    assert proxy.calls == []
    pusher.close()
    proxy.close()
