"""What of a status needs a human: each with a code for machines and a sentence that says what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.destination import DestinationState

WAITED_TOO_LONG_SECONDS = 60

Alert = dict[str, str]


def concerns_of(status: Mapping[str, Any]) -> list[Alert]:
    """The concerns, the most urgent first; an empty list is a quiet night."""
    return [*_of_workers(status["workers"]), *_of_receipts(status["receipts"]), *_of_deliveries(status)]


def _of_workers(workers: list[Mapping[str, Any]]) -> Iterator[Alert]:
    if not any(worker["fresh"] for worker in workers):
        yield _concern("no_worker", "no worker is alive: nothing is split or delivered; start `flask wats worker`")


def _of_receipts(receipts: Mapping[str, Any]) -> Iterator[Alert]:
    if (receipts["oldestPendingSeconds"] or 0) > WAITED_TOO_LONG_SECONDS:
        seconds = round(receipts["oldestPendingSeconds"])
        yield _concern(
            "receipts_wait",
            f"waiting to be split: {_counted(receipts['pending'], 'receipt')}, the oldest {seconds} s",
        )
    if receipts["unreadable"]:
        yield _concern(
            "unreadable",
            f"{_counted(receipts['unreadable'], 'unreadable receipt')};"
            " see `flask wats receipts list --state unreadable`",
        )


def _of_deliveries(status: Mapping[str, Any]) -> Iterator[Alert]:
    for destination in status["destinations"]:
        name, why = destination["name"], destination["lastError"]
        if destination["state"] == DestinationState.DISABLED:
            yield _concern(
                "disabled", f"{name} is disabled ({why}); mend it, then `flask wats destinations resume {name}`"
            )
        if destination["state"] == DestinationState.FAILING:
            yield _concern(
                "open", f"{name} fails ({why}); it is tried again by itself, {destination['waiting']} waiting"
            )
    if status["deadLetters"]:
        yield _concern(
            "dead_letters",
            f"{_counted(status['deadLetters'], 'dead letter')}; see `flask wats deliveries list --state dead`",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _concern(code: str, message: str) -> Alert:
    return {"code": code, "message": message}
