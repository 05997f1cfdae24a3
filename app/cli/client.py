"""The command line's own client: speaks to a running service over HTTP, as any other client of the API would."""

from dataclasses import dataclass
from typing import Any

import requests

from app.cli import CommandFailed
from app.config import ApiAccess

CONNECT_SECONDS, READ_SECONDS = 3, 60


@dataclass
class Client:
    """Asks the service; a refusal or silence becomes one line for people."""

    access: ApiAccess

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON answer to a GET."""
        return self._object(self._ask("GET", path, query))

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        """The JSON answer to a POST."""
        return self._object(self._ask("POST", path, {}, body))

    def content(self, path: str) -> bytes:
        """The raw answer to a GET."""
        return bytes(self._ask("GET", path, {}).content)

    def _object(self, answer: requests.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CommandFailed(f"what answers at {self.access.api_url} is not wats")
        return found

    def _ask(self, method: str, path: str, query: dict[str, Any], body: Any = None) -> requests.Response:
        session = requests.Session()
        session.trust_env = False  # a netrc entry would replace our token
        try:
            answer = session.request(
                method,
                self.access.api_url + path,
                params={name: value for name, value in query.items() if value is not None},
                json=body,
                headers={"Authorization": f"Bearer {self.access.token}"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CommandFailed(f"no service answers at {self.access.api_url}") from error
        if not answer.ok or answer.is_redirect:
            raise CommandFailed(_refusal(answer))
        return answer


def _refusal(answer: requests.Response) -> str:
    try:
        error = answer.json()["error"]
        return f"{error['message']} [{error['code']}, request {error['requestId']}]"
    except (ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code}"
