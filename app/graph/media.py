"""Where the bytes of media may be fetched with Meta's token: at Meta's own hosts, and nowhere else.

An answer of the Graph API, or a signed webhook, names the address. The token must not leave even if one of them lies.
"""

from urllib.parse import urlsplit

META_DOMAINS = ("fbsbx.com", "whatsapp.net")
"""Media come from `lookaside.fbsbx.com`; WhatsApp's own file servers are below `whatsapp.net`."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def may_hold_media(url: str, base_url: str) -> bool:
    """Return whether Meta's token may be sent to this address: by TLS to a host of Meta's or of the Graph API.

    Where the Graph API is on this machine, which only a test or a proxy is, media may be there too, without TLS.
    """
    try:
        asked, base = urlsplit(url), urlsplit(base_url)
        host, origin, port = asked.hostname or "", (asked.scheme, asked.netloc), asked.port
    except ValueError:
        return False
    if not url.isprintable() or " " in url or "\\" in url or "@" in asked.netloc:
        return False
    if origin == (base.scheme, base.netloc):
        return True
    if base.hostname in LOOPBACK and host in LOOPBACK:
        return asked.scheme in ("http", "https")
    is_metas = any(host == domain or host.endswith(f".{domain}") for domain in META_DOMAINS)
    return asked.scheme == "https" and port in (None, 443) and is_metas
