"""Check the access token: a singleton job that asks Meta how long it is valid, at a start and a few times a day.

The answer is recorded, and the watch makes an alert of it. The token is sent to Meta's host only, and never logged.
"""

import logging
from datetime import datetime, timedelta

from app.config import Secret
from app.domain.job import TOKEN_MAX_WAIT, Job, Retry
from app.domain.meta.access_token import PATH, token_life, token_query
from app.gateway import Gateway
from app.graph.call import GraphRequest, GraphUnreachable
from app.messages.ask_meta import MetaAnswer, ask_meta

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=10)
"""How soon a new worker, which may have another token, gets the job. Most runs ask nothing."""


class TokenCheck:
    """The handler of the job. It remembers only in memory whether it has asked, and how often it failed in a row."""

    def __init__(self, gateway: Gateway, token: Secret) -> None:
        self._gateway = gateway
        self._token = token
        self._has_asked = False
        self._failures = 0

    def handle(self, job: Job) -> Retry:  # noqa: ARG002 - the singleton job has no payload
        """Ask Meta if this process has not asked yet, or if the recorded answer is old."""
        store = self._gateway.store
        now, known = store.clock.now(), store.attention.token()
        if self._has_asked and known is not None and not known.is_old(now):
            return Retry(LOOK_EVERY)
        try:
            request = GraphRequest("GET", PATH, token_query(self._token.current), can_wait=True)
            answer = ask_meta(self._gateway.graph, request)
        except GraphUnreachable as failure:
            return self._wait(failure.reason)
        return self._record(answer, now)

    def _record(self, answer: MetaAnswer, now: datetime) -> Retry:
        life = token_life(answer.document, answer.status, now)
        if life is None:
            return self._wait(answer.error.number if answer.error else f"HTTP {answer.status}")
        self._gateway.store.attention.record_token(life)
        self._has_asked, self._failures = True, 0
        return Retry(LOOK_EVERY)

    def _wait(self, reason: str) -> Retry:
        """Return a wait that doubles with each failure in a row."""
        delay: timedelta = min(LOOK_EVERY * 2 ** min(self._failures, 10), TOKEN_MAX_WAIT)
        self._failures += 1
        log.info("token.not_checked", extra={"reason": reason, "seconds": int(delay.total_seconds())})
        return Retry(delay)
