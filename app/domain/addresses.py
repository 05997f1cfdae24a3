"""IP addresses that the gateway never connects to, in whatever form they are written."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"""Metadata services of clouds, which return credentials: AWS, Google, Alibaba, Oracle, Azure. 169.254.169.254 is
link-local."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_never_connected(address: Address) -> bool:
    """Return whether an address is link-local, unspecified, multicast, reserved or a cloud's metadata service.

    Private addresses and loopback are allowed: the operator has configured them.
    """
    return any(_is_forbidden(candidate) for candidate in (address, *_embedded(address)))


def _is_forbidden(address: Address) -> bool:
    if address.is_link_local or address.is_unspecified or address.is_multicast or address in METADATA_ADDRESSES:
        return True
    return isinstance(address, ipaddress.IPv4Address) and (address.is_reserved or address.packed[0] == 0)


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses inside an IPv6 one: mapped, compatible, translated, 6to4, Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or 1 < int(address) < 2**32:
        embedded.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [candidate for candidate in embedded if candidate is not None]
