from ipaddress import ip_address

import pytest

from app.domain.addresses import is_never_connected

NEVER = """
    169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 fd00:ec2::254 fd20:ce::254 fe80::1 224.0.0.1 ff02::1
    0.0.0.0 0.1.2.3 :: 255.255.255.255 240.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::169.254.169.254
    64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::
    64:ff9b:1::a9fe:a9fe 64:ff9b:1:ffff::a9fe:a9fe 64:ff9b:1:a9fe:a9:fe00:: 64:ff9b:1:a9:fe:a9fe::
    64:ff9b:1:0:a9:fea9:fe00:0 64:ff9b:1::6464:64c8 ::ffff:0:169.254.169.254 ::ffff:0:100.100.100.200 ::ffff:0:0.0.0.0
    2001:db8::5efe:169.254.169.254 2001:db8::200:5efe:169.254.169.254 fd00::5efe:100.100.100.200
"""


@pytest.mark.parametrize("address", NEVER.split())
def test_reserved_addresses_and_metadata_services_are_never_connected(address: str) -> None:
    assert is_never_connected(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "fd00::1",
        "8.8.8.8",
        "2001:4860::8888",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "2001:db8::5efe:10.0.0.1",
        "fd00::200:5efe:8.8.8.8",
    ],
)
def test_private_addresses_and_loopback_may_be_connected(address: str) -> None:
    assert not is_never_connected(ip_address(address))
