"""What is wrong with the end of messages: what wats has stored of each, compared with what the fake Meta knows."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

RANKS = ("accepted", "sent", "failed", "delivered", "read")
"""What becomes of a message that Meta has accepted. Of its statuses the last one in this order counts."""

NEVER_ACCEPTED = {("failed", None), ("unknown", None)}
TRACKER = "biz_opaque_callback_data"

Ending = tuple[str, str | None]
"""A status and a wamid."""


@dataclass(frozen=True)
class Stored:
    """A message as wats has it. `key`: the hexadecimal digits of its id, which end its tracker. `sent_at`: when the
    database marked it as being sent, each time."""

    key: str
    status: str
    wamid: str | None
    text: str
    sent_at: tuple[datetime, ...] = ()


def faults_of(stored: Sequence[Stored], state: Mapping[str, Any], count: int, rate: int) -> list[str]:
    """Return what is wrong with the end of this many messages, of which `rate` may leave in a second.

    `state`: what the fake answers to `/_fake/state`.
    """
    texts = Counter(message.text for message in stored)
    most, allowed = most_at_once((at for message in stored for at in message.sent_at), rate), burst_of(rate)
    return [
        *([f"{most} messages have left at once, and {allowed} may"] if most > allowed else []),
        *(f"Meta has accepted {tracker} again" for tracker in state["doubled"]),
        *(f"{text} was accepted {times} times" for text, times in texts.items() if times > 1),
        *(f"text {at} was lost" for at in range(count) if f"text {at}" not in texts),
        *_wrong_endings(stored, state),
    ]


def burst_of(rate: int) -> int:
    """Return how many messages may leave at once after a rest: what falls due in half a second, and one."""
    return -(-rate // 2) + 1


def most_at_once(sent_at: Iterable[datetime], rate: int) -> int:
    """Return how many messages have left at once, at the most: those that a bucket lacks that fills at this rate.

    The times are the database's, in the transactions that decide: a busy machine changes nothing about the pace.
    """
    lacking, before, most = 0.0, datetime.min.replace(tzinfo=UTC), 0.0
    for at in sorted(sent_at):
        lacking, before = max(0.0, lacking - (at - before).total_seconds() * rate) + 1, at
        most = max(most, lacking)
    return math.ceil(most - 0.01)


def _wrong_endings(stored: Sequence[Stored], state: Mapping[str, Any]) -> Iterator[str]:
    wamids = {sent["tracker"].rpartition(".")[2]: sent["id"] for sent in state["messages"]}
    reported = _reported(state)
    for message in stored:
        wamid = wamids.get(message.key)
        endings = NEVER_ACCEPTED if wamid is None else _endings(wamid, reported[wamid])
        if (message.status, message.wamid) not in endings:
            yield f"{message.key} is {message.status} with {message.wamid} here, and there {sorted(endings, key=str)}"


def _endings(wamid: str, reported: Sequence[Mapping[str, Any]]) -> set[Ending]:
    """Return how a message may end that Meta has accepted. If the answer was lost, only a tracker shows it."""
    last = max((status["status"] for status in reported), key=RANKS.index, default=RANKS[0])
    is_without_tracker = bool(reported) and not any(TRACKER in status for status in reported)
    return {(last, wamid), *([("unknown", None)] if is_without_tracker else [])}


def _reported(state: Mapping[str, Any]) -> defaultdict[str, list[dict[str, Any]]]:
    """Return the statuses in the webhooks that were answered 200, by wamid."""
    reported = defaultdict(list)
    for webhook in state["webhooks"]:
        if webhook["status"] == 200:
            for status in _statuses(json.loads(webhook["body"])):
                reported[status["id"]].append(status)
    return reported


def _statuses(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in body["entry"]:
        for change in entry["changes"]:
            yield from change["value"].get("statuses", [])
