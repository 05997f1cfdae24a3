"""A brake on calls of the Graph API, by what each answer says of Meta's limits. Messages are sent all the same.

Meta counts the calls of an app and of an account over all their processes, and each answer says how much is used up:
so each process knows the same without asking another. Calls that go on while nothing is left lengthen the stop.
"""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from app.domain.meta.graph_errors import ErrorScope
from app.domain.meta.usage import APP, BUSINESS, Usage, usage_of_accounts, usage_of_app
from app.graph.call import GraphUnreachable

log = logging.getLogger(__name__)

NEARLY_PERCENT, ALL_PERCENT = 90, 100
NEARLY_SECONDS, ALL_SECONDS, MAX_SECONDS = 300.0, 60.0, 3600.0
"""How long calls are held back after an answer that says so; a limit that is used up may name its own time."""

NEARLY = "Meta's limit of calls is nearly used up"
ALL = "Meta's limit of calls is used up, and none is made until it is free again"
OF_APP, OF_OTHERS = "app", "others"


@dataclass
class _Limit:
    """Until when a limit is nearly used up, and until when it is used up."""

    nearly_until: float = -math.inf
    all_until: float = -math.inf


class CallBrake:
    """How much of Meta's limits the last answers of this process have left: that of the app, and of each account.

    A call belongs to an account by the first part of its path: the id of the account, or of a number whose account
    an answer has told. All calls belong to the account of a profile that has only one. In one that has several, what
    is called by another id, such as a file, shares a limit of its own.
    """

    def __init__(
        self,
        accounts: Collection[str] = (),
        numbers: Collection[str] = (),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = frozenset(accounts)
        self._numbers = frozenset(numbers)
        self._seconds = seconds
        self._account_of: dict[str, str] = {}
        self._limits: dict[str, _Limit] = defaultdict(_Limit)
        self._harmless: dict[str, tuple[str | None, str | None]] = {}

    def learn(self, path: str, headers: Mapping[str, str]) -> None:
        """Take in the headers of the answer to a call; their names are looked up as `X-App-Usage`."""
        scope, usage_headers = self._scope(path), (headers.get(APP), headers.get(BUSINESS))
        if usage_headers == self._harmless.get(scope):
            return  # most answers say the same as the one before
        of_accounts = usage_of_accounts(headers)
        named = self._accounts.intersection(of_accounts)
        if scope in self._numbers and len(named) == 1:
            [self._account_of[scope]] = named
            scope = self._account_of[scope]
        limits = [(OF_APP, usage_of_app(headers))]
        limits += [(account if account in named else scope, usage) for account, usage in of_accounts.items()]
        heeded = [self._heed(limit, usage) for limit, usage in limits]
        if not any(heeded):
            self._harmless[scope] = usage_headers

    def refused(self, path: str, scope: ErrorScope, seconds: float) -> None:
        """Take in that Meta has refused a call because those of the app or the account are used up.

        `seconds`: for how long Meta has asked for no more, 0 if it has not.
        """
        self._hold(OF_APP if scope is ErrorScope.APP else self._scope(path), max(seconds, ALL_SECONDS))

    def check(self, path: str, *, can_wait: bool) -> None:
        """Raise `GraphUnreachable` if no call is to be made now; one that can wait stops earlier than the others."""
        now = self._seconds()
        limits = [self._limits[scope] for scope in (OF_APP, self._scope(path))]
        for reason, until in (
            (ALL, max(limit.all_until for limit in limits)),
            (NEARLY, max(limit.nearly_until for limit in limits)),
        ):
            if until > now and (can_wait or reason is ALL):
                raise GraphUnreachable(reason, was_sent=False, retry_seconds=math.ceil(until - now))

    def _scope(self, path: str) -> str:
        node = path.partition("/")[0]
        if len(self._accounts) <= 1:
            return next(iter(self._accounts), OF_OTHERS)
        known = node in self._accounts or node in self._numbers
        return self._account_of.get(node, node) if known else OF_OTHERS

    def _heed(self, scope: str, usage: Usage) -> bool:
        """Hold back calls if the usage asks for it, and return whether it does."""
        if usage.regain_minutes or usage.percent >= ALL_PERCENT:
            self._hold(scope, max(usage.regain_minutes * 60.0, ALL_SECONDS))
        elif usage.percent >= NEARLY_PERCENT:
            self._limits[scope].nearly_until = self._seconds() + NEARLY_SECONDS
        else:
            return False
        return True

    def _hold(self, scope: str, seconds: float) -> None:
        now, limit = self._seconds(), self._limits[scope]
        until = now + min(seconds, MAX_SECONDS)
        if limit.all_until <= now:
            fields = {"reason": ALL, "scope": scope, "seconds": int(until - now)}
            log.warning("graph.calls_held_back", extra=fields)
        limit.all_until = max(limit.all_until, until)
        limit.nearly_until = limit.all_until + NEARLY_SECONDS
