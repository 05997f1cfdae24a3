"""IP addresses that the gateway never connects to, in whatever form they are written."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"""Metadata services of clouds, which return credentials: AWS, Google, Alibaba, Oracle, Azure. 169.254.169.254 is
link-local."""

_LAST_32_BITS = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
"""IPv6 networks with an IPv4 address at the end: NAT64 (RFC 6052, RFC 8215), translated (RFC 2765), compatible."""

_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_LOCAL_NAT64_BYTES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12))
"""The bytes of the IPv4 address in local-use NAT64 with a prefix of 48, 56 or 64 bits. Source: RFC 6052, 2.2."""

_ISATAP = (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe")
"""Bytes 8 to 11 of an address with an IPv4 address at the end, in any network. Source: RFC 5214."""

_LOOPBACK = ipaddress.ip_address("::1")


def is_never_connected(address: Address) -> bool:
    """Return whether an address is link-local, unspecified, multicast, reserved or a cloud's metadata service.

    Private addresses and loopback are allowed: the operator has configured them.
    """
    embedded = any(_is_forbidden(candidate) for candidate in (address, *_embedded(address)))
    return embedded or any(_is_metadata(candidate) for candidate in _possibly_embedded(address))


def _is_forbidden(address: Address) -> bool:
    if _is_metadata(address) or address.is_unspecified or address.is_multicast:
        return True
    return isinstance(address, ipaddress.IPv4Address) and (address.is_reserved or address.packed[0] == 0)


def _is_metadata(address: Address) -> bool:
    return address.is_link_local or address in METADATA_ADDRESSES


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """Return the IPv4 addresses inside an IPv6 one: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP."""
    if isinstance(address, ipaddress.IPv4Address) or address == _LOOPBACK:
        return []
    embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address.packed[8:12] in _ISATAP or any(address in network for network in _LAST_32_BITS):
        embedded.append(ipaddress.IPv4Address(address.packed[12:]))
    return [candidate for candidate in embedded if candidate is not None]


def _possibly_embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """Return what local-use NAT64 may hold. The length of its prefix, and so the place, is each network's choice."""
    if isinstance(address, ipaddress.IPv4Address) or address not in _LOCAL_NAT64:
        return []
    return [ipaddress.IPv4Address(bytes(address.packed[at] for at in places)) for places in _LOCAL_NAT64_BYTES]
