"""The client of the Graph API: the POST of a message with what came of it as a value, and any other call as it is."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

import urllib3
from gevent import Timeout
from urllib3 import BaseHTTPResponse

from app.domain import VERSION
from app.domain.meta.graph_error_table import rule_for
from app.domain.meta.graph_errors import GraphError
from app.domain.meta.graph_text import masked, spellings
from app.domain.retry import retry_after_of
from app.domain.send_answer import Ambiguous, NotSent, Refused, SendAnswer
from app.domain.send_reply import send_answer
from app.graph.brake import CallBrake
from app.graph.call import READ_SECONDS, TOTAL_SECONDS, GraphReply, GraphRequest, GraphUnreachable
from app.graph.connection import CONNECT_SECONDS, GraphAdapter, MayWrite, RequestNotSent, may_write
from app.graph.exchange import exchange, with_error
from app.graph.failures import FAILURES, AnswerTooLarge, reason_of
from app.graph.media import may_hold_media
from app.log import Throttle

log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
"""The most that is read of an answer. Meta's answer to a message has less than a kilobyte."""

PIECE_BYTES = 16 * 1024
AGENT = f"wats/{VERSION}"
SEND_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": AGENT}
VERSION_HEADER, MAX_VERSION_LENGTH = "facebook-api-version", 10
Reply = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body of an answer that arrived as a whole."""


class GraphClient:
    """Calls the Graph API with our token, at the configured host only: no redirect is followed.

    Meta repeats a token that it cannot read in its error. An answer that is read as a whole has `[token]` in place of
    our token and of each of `secrets`; the pieces of a body that is passed on are as Meta sends them.

    `accounts`, `numbers`: the ids of those of the profile, whose limits of calls Meta counts apart.

    Of the environment nothing is read: no proxy, no bundle of authorities, no netrc, which would replace the token.
    """

    def __init__(
        self,
        base_url: str,
        version: str,
        token: str,
        clock: Callable[[], datetime],
        *,
        secrets: Iterable[str] = (),
        accounts: Collection[str] = (),
        numbers: Collection[str] = (),
        read_seconds: float = READ_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        parts = urlsplit(base_url)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        self._root = f"{origin}{path}"
        self._path = f"{path}/{version}"
        self._version = version
        self._clock = clock
        self._read_seconds = read_seconds
        self._total_seconds = total_seconds
        self._other_version = Throttle()
        self._brake = CallBrake(accounts, numbers)
        self._sent_token = token
        self._secrets = spellings(secret.strip("\"' ") for secret in (token, *secrets))
        self._adapter, self._media_adapter = GraphAdapter(), GraphAdapter()
        self._pool = self._adapter.pool_of(origin)
        self._timeouts = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        self._headers = {"Authorization": f"Bearer {token}", **SEND_HEADERS}

    def send(self, phone_number_id: str, endpoint: str, body: bytes, may_still_write: MayWrite) -> SendAnswer:
        """POST one message. Never raise for what the network or Meta does.

        `endpoint` is `messages` or `marketing_messages`. `may_still_write` is asked as late as can be: once
        connected, before each part of the request is written.
        """
        path = f"{self._path}/{quote(phone_number_id, safe='')}/{endpoint}"
        asking = may_write.set(may_still_write)
        deadline = Timeout.start_new(self._total_seconds)
        try:
            status, headers, content = self._post(path, body)
        except RequestNotSent as failure:
            return NotSent(failure.reason, failure.is_given_up)
        except Timeout as timeout:
            if timeout is not deadline:
                raise
            return Ambiguous("no answer in time")
        except FAILURES as failure:
            return Ambiguous(reason_of(failure))
        finally:
            deadline.close()
            may_write.reset(asking)
        self._compare_version(headers.get(VERSION_HEADER))
        answer = send_answer(status, headers, content, self._clock())
        error = answer.error if isinstance(answer, Refused) else None
        self._heed_limits(phone_number_id, status, headers, error)
        return answer

    def call(self, request: GraphRequest) -> GraphReply:
        """Make one call, whatever it is, and return once the head of the answer is there.

        Raises `GraphUnreachable`, also while Meta's limit of calls is used up, and whatever the pieces of the body
        raise.
        """
        self._brake.check(request.path, can_wait=request.can_wait)
        query = f"?{request.query}" if request.query else ""
        answered = exchange(
            self._adapter,
            f"{self._root}/{request.version or self._version}/{request.path}{query}",
            self._sent_token,
            request,
            agent=AGENT,
            silence_seconds=self._read_seconds,
        )
        reply, error = with_error(answered)
        headers = {name.title(): value for name, value in reply.headers}
        self._heed_limits(request.path, reply.status, headers, error)
        return replace(reply, secrets=self._secrets)

    def download(self, url: str) -> GraphReply:
        """Get the bytes at an address from Meta. Raises `GraphUnreachable`, also if it is not Meta's."""
        if not may_hold_media(url, self._root):
            raise GraphUnreachable("the address of the file is not one of Meta's", was_sent=False)
        return exchange(
            self._media_adapter,
            url,
            self._sent_token,
            GraphRequest("GET", ""),
            agent=AGENT,
            silence_seconds=self._read_seconds,
        )

    def _post(self, path: str, body: bytes) -> Reply:
        """POST by the pool itself: what a session of `requests` prepares takes longer than all else of a POST."""
        response = self._pool.urlopen(
            "POST",
            path,
            body,
            self._headers,
            retries=False,
            redirect=False,
            timeout=self._timeouts,
            preload_content=False,
        )
        try:
            return response.status, response.headers, masked(_content(response), self._secrets)
        finally:
            response.close()  # unless it was read as a whole, the connection is of no more use

    def _heed_limits(self, path: str, status: int, headers: Mapping[str, str], error: GraphError | None) -> None:
        """Let the brake know what an answer says of Meta's limits. A refusal need not have headers that tell it."""
        self._brake.learn(path, headers)
        rule = None if error is None else rule_for(error, status)
        if rule is not None and rule.is_of_calls:
            asked = retry_after_of(headers.get("Retry-After"), self._clock()) or timedelta()
            self._brake.refused(path, rule.scope, asked.total_seconds())

    def _compare_version(self, answered: str | None) -> None:
        """Warn once if another version has answered: for an ended one Meta uses the oldest that still works."""
        answered = (answered or self._version)[:MAX_VERSION_LENGTH]
        if answered != self._version and self._other_version.repeats(answered) is not None:
            reason = f"{answered} has answered, {self._version} was asked: raise graph.apiVersion"
            log.warning("graph.version_differs", extra={"reason": reason})


def _content(response: BaseHTTPResponse) -> bytes:
    content = bytearray()
    while piece := response.read(PIECE_BYTES, decode_content=True):
        content += piece
        if len(content) > MAX_BYTES:
            raise AnswerTooLarge
    return bytes(content)
