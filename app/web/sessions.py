"""No sessions: no cookie is read or set, whoever asks. Flask would make an empty session for every request."""

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

NONE = NullSession()


class NoSessions(SessionInterface):
    """Every request has the same session, which holds nothing and refuses to."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        """The session that is none; Flask never saves it."""
        return NONE
