"""Host names and addresses: which are well written, which stay on this machine, which are never called."""

import ipaddress
import re
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal")
METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"""Where a cloud tells a machine its credentials, beside 169.254.169.254: AWS, Google, Alibaba, Oracle, Azure."""

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?", re.ASCII)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_host(text: str) -> bool:
    """Tells whether this is an IP address in its plain form (IPv6 without brackets or zone) or a host name.

    As in the URL standard a name whose last part is a number is taken for an address, and must be one.
    """
    if _plain_address(text) is not None:
        return "%" not in text
    return len(text) <= 253 and _NAME.fullmatch(text) is not None and _LIKE_A_NUMBER.fullmatch(text) is None


def is_loopback(host: str) -> bool:
    """Tells whether a host name or address never leaves this machine."""
    address = _plain_address(host.strip("[]"))
    if address is not None:
        return address.is_loopback
    return host.lower() == "localhost" or host.lower().endswith(".localhost")


def is_never_called(host: str) -> bool:
    """Tells whether a host is link-local, unspecified, multicast, reserved or a cloud's metadata service.

    Every spelling counts: decimal, octal and hexadecimal integers, short forms, IPv4 inside IPv6.
    """
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    address = _plain_address(name) or _address_of_old(name)
    if address is None:
        return name in METADATA_NAMES
    return any(_is_forbidden(each) for each in (address, *_embedded(address)))


def _is_forbidden(address: Address) -> bool:
    if address.is_link_local or address.is_unspecified or address.is_multicast or address in METADATA_ADDRESSES:
        return True
    return isinstance(address, ipaddress.IPv4Address) and (address.is_reserved or address.packed[0] == 0)


def _embedded(address: Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses inside an IPv6 one: mapped, compatible, translated, 6to4, Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or 1 < int(address) < 2**32:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


def _plain_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _address_of_old(text: str) -> Address | None:
    """An IPv4 address in one of the spellings that `inet_aton` takes: 2852039166, 0xa9fea9fe, 0251.0376.43518."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text)) if text.isascii() and " " not in text else None
    except (OSError, ValueError):
        return None
