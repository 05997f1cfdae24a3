"""Host names and addresses: which are well-formed, which are loopback, which are never connected."""

import ipaddress
import re
import socket

from app.domain import addresses
from app.domain.addresses import Address

METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal")

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)
_LIKE_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?", re.ASCII)


def is_host(text: str) -> bool:
    """Return whether this is an IP address in its plain form (IPv6 without brackets or zone) or a host name.

    A name whose last label is a number must be an IP address, as in the URL standard.
    """
    if _plain_address(text) is not None:
        return "%" not in text
    return len(text) <= 253 and _NAME.fullmatch(text) is not None and _LIKE_A_NUMBER.fullmatch(text) is None


def is_loopback(host: str) -> bool:
    """Return whether a host is localhost, a name below it, or a plain loopback address."""
    address = _plain_address(host.strip("[]"))
    if address is not None:
        return address.is_loopback
    return host.lower() == "localhost" or host.lower().endswith(".localhost")


def is_never_connected(host: str) -> bool:
    """Return whether a host is link-local, unspecified, multicast, reserved or a cloud's metadata service.

    Every spelling counts: decimal, octal and hexadecimal integers, short forms, IPv4 inside IPv6.
    """
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    address = _plain_address(name) or _legacy_address(name)
    if address is None:
        return name in METADATA_NAMES
    return addresses.is_never_connected(address)


def _plain_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _legacy_address(text: str) -> Address | None:
    """Return an IPv4 address in one of the spellings of `inet_aton`: 2852039166, 0xa9fea9fe, 0251.0376.43518."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text)) if text.isascii() and " " not in text else None
    except (OSError, ValueError):
        return None
