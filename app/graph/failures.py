"""Stable phrases for failures on the way to Meta. They never quote a library or the other side."""

import http.client

import requests
import urllib3.exceptions

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
"""Everything that the libraries raise for what the network or the other side does."""


class AnswerTooLarge(OSError):
    """The answer is longer than what is read of one."""


def reason_of(failure: BaseException) -> str:
    """Return the phrase for what happened after the request was sent."""
    if isinstance(failure, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(failure, AnswerTooLarge):
        return "answer too large"
    return "connection lost before the whole answer"
