"""Comparing what a stranger presents with what is secret: the only place where that happens."""

import hmac
from collections.abc import Iterable


def constant_time_index(presented: bytes, secrets: Iterable[bytes]) -> int | None:
    """The position of the first secret equal to what is presented; None if there is none.

    Every secret is compared, each in constant time, so that the answer's delay tells nothing.
    """
    matches = [hmac.compare_digest(presented, secret) for secret in secrets]
    return matches.index(True) if any(matches) else None
