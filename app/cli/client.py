"""The command line's own client: speaks to a running service over HTTP, as any other client of the API would."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests

from app.cli import CommandFailed
from app.config import ApiAccess

CONNECT_SECONDS, READ_SECONDS = 3, 60


class Unreachable(CommandFailed):
    """Nobody answers, or not now: asked again a little later, somebody may."""


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a netrc entry would replace our token
    return session


@dataclass
class Client:
    """Asks the service; a refusal or silence becomes one line for people."""

    access: ApiAccess
    _session: requests.Session = field(default_factory=_session, repr=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON answer to a GET of the API."""
        return self._object(self._ask("GET", self.access.api_url + path, query))

    def page(self, path: str, **query: Any) -> dict[str, Any]:
        """A page of a list of the API: its `items`, and `nextCursor`."""
        page = self.get(path, **query)
        if not isinstance(page.get("items"), list) or "nextCursor" not in page:
            raise self._not_wats()
        return page

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON answer to a POST to the API."""
        return self._object(self._ask("POST", self.access.api_url + path, {}, body))

    def content(self, path: str) -> bytes:
        """The raw answer to a GET of the API."""
        return bytes(self._ask("GET", self.access.api_url + path, {}).content)

    def outside(self, path: str) -> dict[str, Any]:
        """The JSON answer to a GET of a route outside the API, which looks unknown to whoever may not operate."""
        answer = self._send("GET", self.access.service_url + path, {})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise CommandFailed(f"{path} is hidden: this token is unknown to the service, or may not operate")
        return self._object(_accepted(answer))

    def readiness(self) -> dict[str, Any]:
        """What `/readyz` answers, also where it is a no."""
        answer = self._send("GET", self.access.service_url + "/readyz", {})
        found = self._object(answer)
        if not isinstance(found.get("checks"), dict):
            raise CommandFailed(_refusal(answer))
        return found

    def _object(self, answer: requests.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._not_wats()
        return found

    def _not_wats(self) -> CommandFailed:
        return CommandFailed(f"what answers at {self.access.api_url} is not wats")

    def _ask(self, method: str, url: str, query: dict[str, Any], body: Any = None) -> requests.Response:
        answer = self._send(method, url, query, body)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise CommandFailed(f"{url.removeprefix(self.access.service_url)}: {_refusal(answer)}")
        return _accepted(answer)

    def _send(self, method: str, url: str, query: dict[str, Any], body: Any = None) -> requests.Response:
        try:
            return self._session.request(
                method,
                url,
                params={name: value for name, value in query.items() if value is not None},
                json=body,
                headers={"Authorization": f"Bearer {self.access.token}"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            hint = "is it started, and there? --url, WATS_URL or WATS_PORT say where"
            raise Unreachable(f"no service answers at {self.access.api_url}; {hint}") from error


def _accepted(answer: requests.Response) -> requests.Response:
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        raise Unreachable(_refusal(answer))
    if not answer.ok or answer.is_redirect:
        raise CommandFailed(_refusal(answer))
    return answer


def _refusal(answer: requests.Response) -> str:
    try:
        error = answer.json()["error"]
        fields = (error.get("details") or {}).get("fields", [])
        why = "".join(f" {each['pointer']}: {each['message']}" for each in fields)
        return f"{error['message']}{why} [{error['code']}, request {error['requestId']}]"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the service answered {answer.status_code}"
