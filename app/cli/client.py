"""The command line's HTTP client of a running service. It uses the public API, as any other client would."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from app.cli import CommandFailed, Misconfigured
from app.cli.form_body import PIECE_BYTES, FormBody
from app.config import MODE_HEADER, ApiAccess, Mode, Token
from app.config.start_options import DRY_RUN_APP_SECRET, LIVE, PORT, URL

NO_HEADERS: Mapping[str, str] = {}
TIMEOUTS = urllib3.Timeout(connect=3, read=60)
JSON = {"Content-Type": "application/json"}
NO_SUCH = "There is no "
"""How the API's sentence begins about an unknown id or name. About an unknown path it says "Not Found."."""

KEPT_FOR_DAYS = ("messages", "events", "receipts", "deliveries")
NAMED = ("destinations", "consumers")
ADDRESS = f"{URL.flag}, {URL.variable} or {PORT.variable}"


class Unreachable(CommandFailed):
    """No service answers, or it answers 503. A later attempt may succeed."""


Response = urllib3.BaseHTTPResponse


def new_pool() -> urllib3.PoolManager:
    """Return a pool that takes no proxy and no token from the environment, and repeats nothing.

    Not a session of `requests`, whose imports would be an eighth of a command's time.
    """
    return urllib3.PoolManager(retries=False)


@dataclass
class Client:
    """A client with a token. Every failure is a CommandFailed whose message is one line for people."""

    access: ApiAccess
    _pool: urllib3.PoolManager = field(default_factory=new_pool, repr=False)

    @cached_property
    def _token(self) -> Token:
        """The token for this service: that of a dry-run only if the service says that it is one."""
        access = self.access
        if access.dry_run_token is not None and self.says_it_is_a_dry_run:
            return access.dry_run_token
        if not access.token.value:
            raise Misconfigured(access.token.hint)
        return access.token

    @cached_property
    def says_it_is_a_dry_run(self) -> bool:
        """Whether `/healthz` says so, asked without a token. A proxy may hide that path: then it is none."""
        answer = self._request("GET", self.access.service_url + "/healthz")
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"the server answered {answer.status}")
        is_refused = answer.status >= HTTPStatus.BAD_REQUEST
        if not is_refused and self._object(answer).get("service") != "wats":
            raise self._not_wats()
        return not is_refused and answer.headers.get(MODE_HEADER) == Mode.DRY_RUN

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return the JSON object that a GET of the API returns."""
        return self._object(self._call_api("GET", path, query))

    def page(self, path: str, **query: Any) -> dict[str, Any]:
        """Return a page of a list of the API: its `items` and `nextCursor`."""
        page = self.get(path, **query)
        if not isinstance(page.get("items"), list) or "nextCursor" not in page:
            raise self._not_wats()
        return page

    def page_with_hint(self, path: str, **query: Any) -> dict[str, Any]:
        """Return a page whose `nextCursor` is None if no item follows: the API also gives one where none may."""
        page = self.page(path, **query)
        if page["nextCursor"] and not self.page(path, **{**query, "cursor": page["nextCursor"], "limit": 1})["items"]:
            return {**page, "nextCursor": None}
        return page

    def post(self, path: str, body: Any = None, headers: Mapping[str, str] = NO_HEADERS) -> dict[str, Any]:
        """Return the JSON object that a POST to the API returns."""
        return self._object(self._call_api("POST", path, {}, headers={**JSON, **headers}, body=json.dumps(body)))

    def delete(self, path: str) -> None:
        """Delete what this path of the API names."""
        self._call_api("DELETE", path, {})

    def post_webhook(self, path: str, body: bytes, headers: Mapping[str, str], *, is_refused: bool = False) -> str:
        """Post a webhook, as Meta does; return how it was answered: `accepted` or `duplicate`.

        `is_refused`: its signature is wrong, and `refused` is the only answer that is no failure.
        """
        response = self._request("POST", self.access.service_url + path, body=body, headers=headers)
        if is_refused:
            return self._refusal_of_signature(response)
        if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            cure = (
                f"the service must run in dry-run, with the same {DRY_RUN_APP_SECRET.variable} if it has one"
                f" (`webhook send {LIVE.flag}` signs for a live one)"
            )
            raise CommandFailed(f"{_error_of(response)}; {cure}")
        return str(self._object(self._successful(response)).get("status"))

    def _refusal_of_signature(self, response: Response) -> str:
        if _is_ok(response):
            raise CommandFailed(f"the service took a webhook with a wrong signature: {response.status}")
        if response.status != HTTPStatus.UNAUTHORIZED:
            raise self._refused(response)
        return "refused"

    def content(self, path: str, **query: Any) -> bytes:
        """Return the bytes that a GET of the API returns."""
        return self._call_api("GET", path, query).data

    def upload(self, path: str, form: FormBody) -> dict[str, Any]:
        """Return the JSON object that a POST of a form with a file returns; the file is read piece by piece."""
        headers = {"Content-Type": form.content_type, "Content-Length": str(len(form))}
        return self._object(self._call_api("POST", path, {}, body=form, headers=headers))

    def download(self, path: str) -> Iterator[bytes]:
        """Yield the bytes that a GET of the API returns, piece by piece."""
        with self._call_api("GET", path, {}, preload_content=False) as response:
            try:
                yield from response.stream(PIECE_BYTES)
            except HTTPError as error:
                raise Unreachable("the file was cut off before its end; try again") from error

    def get_outside_api(self, path: str) -> dict[str, Any]:
        """Return the JSON object of a route outside the API. Without the scope `operate` such a route answers 404."""
        response = self._send("GET", self.access.service_url + path, {})
        if response.status == HTTPStatus.NOT_FOUND and _error_of(response):
            reason = f"the service hides {path}: the token is unknown to it or lacks the scope operate"
            raise CommandFailed(f"{reason}; {self._token.hint}")
        return self._object(self._successful(response))

    def readiness(self) -> dict[str, Any]:
        """Return the answer of `/readyz`, whether the service is ready or not."""
        response = self._send("GET", self.access.service_url + "/readyz", {})
        answer = self._object(response)
        if not isinstance(answer.get("checks"), dict):
            raise self._refused(response)
        return answer

    def _object(self, response: Response) -> dict[str, Any]:
        try:
            document = response.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._not_wats()
        return document

    def _not_wats(self) -> CommandFailed:
        return CommandFailed(f"the server at {self.access.api_url} is not wats; give its address with {ADDRESS}")

    def _successful(self, response: Response) -> Response:
        if not _is_ok(response):
            raise self._refused(response)
        return response

    def _refused(self, response: Response) -> CommandFailed:
        """Return the failure that an answer means, for people."""
        status, error = response.status, _error_of(response)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            return Unreachable(error or f"the service answered {status}")
        if error is None:
            is_of_proxy = status >= HTTPStatus.INTERNAL_SERVER_ERROR
            return CommandFailed(f"the server answered {status}") if is_of_proxy else self._not_wats()
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return CommandFailed(f"{error}; {self._token.hint}")
        return CommandFailed(error)

    def _call_api(self, method: str, path: str, query: dict[str, Any], **parts: Any) -> Response:
        url = self.access.api_url + path
        response = self._send(method, url, query, **parts)
        if response.status == HTTPStatus.NOT_FOUND and (error := _error_of(response)):
            raise CommandFailed(
                f"{url.removeprefix(self.access.service_url)}: {error}{_where_others_are(path, error)}"
            )
        return self._successful(response)

    def _send(
        self, method: str, url: str, query: dict[str, Any], *, headers: Mapping[str, str] = NO_HEADERS, **parts: Any
    ) -> Response:
        given = urlencode({name: value for name, value in query.items() if value is not None})
        headers = {**headers, "Authorization": f"Bearer {self._token.value}"}
        return self._request(method, f"{url}?{given}" if given else url, headers=headers, **parts)

    def _request(self, method: str, url: str, **parts: Any) -> Response:
        try:
            return self._pool.request(method, url, timeout=TIMEOUTS, redirect=False, **parts)
        except HTTPError as error:
            hint = f"start it with `flask wats serve`, or give its address with {ADDRESS}"
            raise Unreachable(f"no service answers at {self.access.api_url}; {hint}") from error


def _is_ok(response: Response) -> bool:
    """Return whether it is what was asked for: neither an error nor a redirect, which another server may send."""
    return HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES


def _where_others_are(path: str, error: str) -> str:
    """Return why there may be no such thing, and the command that lists those there are; "" of any other error."""
    kind = path.split("/")[1]
    if not error.startswith(NO_SUCH) or kind not in (*KEPT_FOR_DAYS, *NAMED):
        return ""
    cause = "the name is wrong" if kind in NAMED else "the id is wrong, or older than `retention.days`"
    return f"; {cause}: `flask wats {kind} list` shows those that are there"


def _error_of(response: Response) -> str | None:
    """Return the error of a response in one line; None if it is not in the form of our errors."""
    try:
        error = response.json()["error"]
        fields = (error.get("details") or {}).get("fields", [])
        reasons = "".join(f" {field['pointer']}: {field['message']}" for field in fields)
        return f"{error['message']}{reasons} [{error['code']}, request {error['requestId']}]"
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
