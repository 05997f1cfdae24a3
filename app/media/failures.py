"""The one exception for what goes wrong with a file at Meta. A route answers with it; a job is tried again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from app.domain.meta.graph_error_table import TOO_MANY_REQUESTS, rule_for
from app.domain.meta.graph_errors import ErrorClass, ErrorRule, GraphError, error_json, error_of_answer

Code = Literal["not_found", "media_refused", "meta_refused", "meta_unavailable"]
UNKNOWN_OBJECT, UNKNOWN_PATH = (100, 33), 2500
INVALID_PARAMETER = 100
TEMPORARY = {
    ErrorClass.TRANSIENT,
    ErrorClass.THROTTLED,
    ErrorClass.COOLED,
    ErrorClass.PAIR_THROTTLED,
    ErrorClass.PARKED,
}
UNKNOWN = "Meta has no such file: the id is wrong or of another account, or the file is too old or deleted."


class MediaFailed(Exception):
    """A file cannot be downloaded or uploaded. `code`: that of our API's error. `error`: Meta's, if it gave one.

    `headers`: those of Meta's answer, where they may ask for a delay.
    """

    def __init__(
        self, code: Code, reason: str, error: GraphError | None = None, *, rule: ErrorRule | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.error = error
        self.headers: Mapping[str, str] = {}
        self._rule = rule

    @property
    def details(self) -> Mapping[str, Any] | None:
        """Meta's error as Meta wrote it, with our class and hint."""
        if self.error is None or self._rule is None:
            return None
        return {"error": error_json(self.error, self._rule)}

    @property
    def summary(self) -> str:
        """One line for the operator, without Meta's text, which may name a customer."""
        return self.reason if self.error is None else f"Meta has answered with error {self.error.number}"


def failure_of(status: int, document: object, *, is_upload: bool = False) -> MediaFailed:
    """Return the failure that an answer stands for, which is no success. `document`: its JSON, None without any."""
    error = error_of_answer(document)
    if error is None:
        return MediaFailed("meta_unavailable", f"Meta has answered HTTP {status} without an error of the Graph API.")
    rule = rule_for(error, status)
    is_unknown = (error.code, error.subcode) == UNKNOWN_OBJECT or error.code == UNKNOWN_PATH
    if is_unknown and not is_upload:
        return MediaFailed("not_found", UNKNOWN, error, rule=replace(rule, hint=None))  # its hint is about a number
    if status == TOO_MANY_REQUESTS or rule.error_class in TEMPORARY:
        reason = f"Meta takes no call of this kind for now ({error.summary})."
        return MediaFailed("meta_unavailable", reason, error, rule=rule)
    if is_upload and error.code == INVALID_PARAMETER and error.subcode is None:
        return MediaFailed("media_refused", f"Meta refuses the file ({error.summary}).", error, rule=rule)
    hint = f"; {rule.hint}" if rule.hint else ""
    return MediaFailed("meta_refused", f"Meta refuses the call ({error.summary}){hint}.", error, rule=rule)
