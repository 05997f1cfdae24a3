"""The application factory: one Flask application with every blueprint, for one web process."""

from functools import partial

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

from app.assembly import build_gateway
from app.config import Settings
from app.delivery.destinations import bp as destinations
from app.delivery.routes import bp as deliveries
from app.events.consumers import bp as consumers
from app.events.routes import bp as events
from app.gateway import EXTENSION
from app.graph_proxy.openapi import document_graph
from app.graph_proxy.routes import bp as graph_proxy
from app.health.routes import bp as health
from app.media.routes import bp as media
from app.messages.conversations import bp as conversations
from app.messages.decisions import bp as decisions
from app.messages.graph_routes import bp as graph_messages
from app.messages.pauses import bp as sending
from app.messages.routes import bp as messages
from app.retention.routes import bp as contacts
from app.web.body import finish_body
from app.web.body_budget import EXTENSION as BODIES
from app.web.body_budget import BodyBudget
from app.web.docs import bp as docs
from app.web.errors import register_errors
from app.web.graph_calls import GraphCalls
from app.web.guards import register_guards
from app.web.meta_calls import EXTENSION as META_CALLS
from app.web.meta_calls import MetaCalls
from app.web.middleware import RequestMiddleware
from app.web.openapi import DocumentedApi, documented_api
from app.web.query_parameters import register_query_parameters
from app.web.transfers import EXTENSION as TRANSFERS
from app.web.transfers import Transfers
from app.webhook.openapi import document_webhook
from app.webhook.receipts import bp as receipts
from app.webhook.refusals import EXTENSION as REFUSALS
from app.webhook.refusals import Refusals
from app.webhook.routes import bp as webhook

_made: list[tuple[Settings, Flask]] = []
"""The application that forked processes inherit, and its settings."""

NO_SESSION = NullSession()
WEBHOOK = "webhook"
"""The endpoint name under which Meta's route is counted, whatever its path."""


class NoSessions(SessionInterface):
    """Sets and reads no cookie. Flask would otherwise make an empty session for every request."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        """Return a session that holds nothing; Flask never saves it."""
        return NO_SESSION


def application_of(settings: Settings) -> Flask:
    """Return the application of these settings: the one that this process has made or inherited, or a new one."""
    if not _made or _made[0][0] != settings:
        _made[:] = [(settings, create_app(settings))]
    return _made[0][1]


def create_app(settings: Settings) -> Flask:
    """Build the application. Its store is still closed: the process that serves the application opens it."""
    app = Flask("wats", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.session_interface = NoSessions()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    gateway = app.extensions[EXTENSION] = build_gateway(settings)
    bodies = app.extensions[BODIES] = BodyBudget()
    app.extensions[REFUSALS] = Refusals(gateway.store, gateway.metrics, gateway.clock)
    app.extensions[TRANSFERS] = Transfers()
    app.extensions[META_CALLS] = MetaCalls()
    finish = partial(finish_body, bodies)
    routed = GraphCalls(app.wsgi_app, settings.service.api_prefix)
    path = settings.webhook.path
    app.wsgi_app = RequestMiddleware(  # type: ignore[method-assign]
        routed, gateway.metrics, finish, gateway.tracing, (path, f"{settings.service.api_prefix}/"), {path: WEBHOOK}
    )

    register_guards(app)
    register_query_parameters(app)
    api = documented_api(app)
    register_errors(app)
    _register_blueprints(app, api, settings)
    return app


def _register_blueprints(app: Flask, api: DocumentedApi, settings: Settings) -> None:
    app.register_blueprint(webhook, url_prefix=settings.webhook.path)
    api.document_later(document_webhook)
    api.register_blueprint(health)
    for blueprint in (
        receipts,
        events,
        consumers,
        contacts,
        deliveries,
        destinations,
        messages,
        decisions,
        conversations,
        sending,
        media,
    ):
        api.register_blueprint(blueprint, url_prefix=settings.service.api_prefix)
    for blueprint in (graph_messages, graph_proxy):
        app.register_blueprint(blueprint, url_prefix=settings.service.api_prefix)
    api.document_later(document_graph)
    api.register_blueprint(docs)
