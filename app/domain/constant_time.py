"""Compare untrusted input with secrets. No other module may: a house test holds this."""

import hmac
from collections.abc import Iterable


def constant_time_index(presented: bytes, secrets: Iterable[bytes]) -> int | None:
    """Return the index of the first secret equal to `presented`; None if there is none.

    Compare every secret in constant time, so that the duration reveals nothing about the secrets.
    """
    matches = [hmac.compare_digest(presented, secret) for secret in secrets]
    return matches.index(True) if any(matches) else None
