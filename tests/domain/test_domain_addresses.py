from ipaddress import ip_address

import pytest

from app.domain.addresses import is_never_connected

NEVER = """
    169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 fd00:ec2::254 fd20:ce::254 fe80::1 224.0.0.1 ff02::1
    0.0.0.0 0.1.2.3 :: 255.255.255.255 240.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::169.254.169.254
    64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::
"""


@pytest.mark.parametrize("address", NEVER.split())
def test_reserved_addresses_and_metadata_services_are_never_connected(address: str) -> None:
    assert is_never_connected(ip_address(address))


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "fd00::1", "8.8.8.8", "2001:4860::8888"]
)
def test_private_addresses_and_loopback_may_be_connected(address: str) -> None:
    assert not is_never_connected(ip_address(address))
