"""What of a status needs a human: each with a code for machines and a sentence that says what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.destination import DestinationState

WAITED_TOO_LONG_SECONDS = 60

Concern = dict[str, str]


def concerns_of(status: Mapping[str, Any]) -> list[Concern]:
    """The concerns, the most urgent first; an empty list is a quiet night."""
    return [*_of_workers(status["workers"]), *_of_receipts(status["receipts"]), *_of_deliveries(status)]


def _of_workers(workers: list[Mapping[str, Any]]) -> Iterator[Concern]:
    if not any(worker["fresh"] for worker in workers):
        yield _concern("no_worker", "no worker is alive: nothing is split or delivered; start `flask wats worker`")


def _of_receipts(receipts: Mapping[str, Any]) -> Iterator[Concern]:
    if (receipts["oldestPendingSeconds"] or 0) > WAITED_TOO_LONG_SECONDS:
        seconds = round(receipts["oldestPendingSeconds"])
        yield _concern("receipts_wait", f"{receipts['pending']} receipts wait to be split, the oldest {seconds} s")
    if receipts["unreadable"]:
        yield _concern(
            "unreadable",
            f"{receipts['unreadable']} receipts cannot be read; see `flask wats receipts list --state unreadable`",
        )


def _of_deliveries(status: Mapping[str, Any]) -> Iterator[Concern]:
    for destination in status["destinations"]:
        name, why = destination["name"], destination["lastError"]
        if destination["state"] == DestinationState.DISABLED:
            yield _concern("disabled", f"{name} is disabled ({why}); mend it, then `flask wats destinations resume`")
        if destination["state"] == DestinationState.OPEN:
            yield _concern("open", f"{name} fails ({why}); {destination['waiting']} deliveries wait for it")
    if status["deadLetters"]:
        yield _concern(
            "dead_letters",
            f"{status['deadLetters']} dead letters; see `flask wats deliveries list --state dead`, then replay them",
        )


def _concern(code: str, message: str) -> Concern:
    return {"code": code, "message": message}
