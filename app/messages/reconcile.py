"""Reconcile: a singleton job that asks Meta about messages whose statuses have not come, one call a minute at most.

Meta allows a new app 200 management calls an hour for each account, and changes of templates and settings count too.
The limit is kept by the job's due time in the database: all workers share it, and one that is killed costs one call.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from app.domain.job import RECONCILE_MAX_WAIT, Job, Retry
from app.domain.meta.graph_error_table import TOO_MANY_REQUESTS, rule_for
from app.domain.meta.graph_errors import ErrorClass
from app.domain.meta.message_history import statuses_of_history
from app.domain.meta.usage import asked_delay
from app.domain.reconciling import ROUNDS, Candidate, Round
from app.gateway import Gateway
from app.graph.call import GraphUnreachable
from app.messages.ask_meta import MetaAnswer, ask_meta, history_request

log = logging.getLogger(__name__)

ASK_EVERY = timedelta(minutes=1)
LOOK_EVERY = timedelta(minutes=5)
CONTINUE_AFTER = timedelta(seconds=1)
FIRST_WAIT = timedelta(minutes=5)
STEPS = 20
"""How many reads of the database one run makes. The job continues a second later, and other jobs run meanwhile."""

MAX_TRIES = 3
"""After this many temporary errors in a row about one message, its round goes on with the next one."""

TEMPORARY = (ErrorClass.TRANSIENT, ErrorClass.THROTTLED)


class Reconciler:
    """The handler of the reconcile job. It counts Meta's refusals in a row, in memory only."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._numbers = gateway.settings.whatsapp.phone_number_ids
        self._refusals = 0

    def handle(self, job: Job) -> Retry:  # noqa: ARG002 - the singleton job has no payload
        """Ask about the first message that one of the rounds finds, the first round first."""
        steps = STEPS
        for round_ in ROUNDS:
            while not (found := self._gateway.store.reconciling.find(round_, self._numbers)).is_end:
                if found.candidate is not None:
                    return self._ask(round_, found.candidate)
                steps -= 1
                if steps <= 0:
                    return Retry(CONTINUE_AFTER)
        return Retry(LOOK_EVERY)

    def _ask(self, round_: Round, candidate: Candidate) -> Retry:
        try:
            request = replace(history_request(candidate.wamid, candidate.phone_number_id), can_wait=True)
            answer = ask_meta(self._gateway.graph, request)
        except GraphUnreachable as failure:
            return self._wait(failure.reason)
        if answer.is_success:
            self._refusals = 0
            statuses = statuses_of_history(answer.document, candidate.wamid, candidate.phone_number_id)
            self._gateway.store.reconciling.record(round_, candidate, statuses)
            return Retry(ASK_EVERY)
        return self._refused(round_, candidate, answer)

    def _refused(self, round_: Round, candidate: Candidate, answer: MetaAnswer) -> Retry:
        """Wait. Leave the message out of this round unless the refusal is temporary and not about it."""
        error_class = _class_of(answer)
        is_temporary = error_class in TEMPORARY
        wait = self._wait(_summary(answer), self._asked(answer) if is_temporary else RECONCILE_MAX_WAIT)
        if not is_temporary or (error_class is ErrorClass.TRANSIENT and self._refusals >= MAX_TRIES):
            self._gateway.store.reconciling.record(round_, candidate, ())
        return wait

    def _asked(self, answer: MetaAnswer) -> timedelta:
        return asked_delay(answer.headers, self._gateway.clock())

    def _wait(self, reason: str, asked: timedelta = timedelta()) -> Retry:
        """Return a wait that doubles with each failure in a row, or the longer one that Meta asks for."""
        delay: timedelta = min(max(FIRST_WAIT * 2 ** min(self._refusals, 10), asked), RECONCILE_MAX_WAIT)
        self._refusals += 1
        log.info("reconcile.waits", extra={"reason": reason, "seconds": int(delay.total_seconds())})
        return Retry(delay)


def _class_of(answer: MetaAnswer) -> ErrorClass:
    if answer.status == TOO_MANY_REQUESTS:
        return ErrorClass.THROTTLED
    return ErrorClass.TRANSIENT if answer.error is None else rule_for(answer.error, answer.status).error_class


def _summary(answer: MetaAnswer) -> str:
    return f"HTTP {answer.status}" if answer.error is None else answer.error.summary
