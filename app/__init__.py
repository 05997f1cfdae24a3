"""wats: a self-hosted gateway to the WhatsApp Business Platform.

Two journeys of the same shape: door, rule, memory, answer; then corridor, verb, edge, memory.

    webhook:  webhook/routes → webhook/receive → store [commit, 200] ⇢ worker → events/split → store
              ⇢ worker → delivery/deliver → destination client → store
    message:  messages/routes → messages/compose + accept → store [commit, 202]
              ⇢ worker → messages/send → graph → store

Built so far: the webhook journey. The imports of the factory are inside it, so that a rule of
the domain can be used without loading a web framework.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_smorest import Api

    from app.config import Settings


def command_app() -> "Flask":
    """An application that carries the `wats` commands and serves nothing: whoever asks it is told so."""
    from flask import Flask

    from app.cli import wats

    app = Flask("wats", static_folder=None)
    app.cli.add_command(wats)
    app.before_request(lambda: ("This is not the gateway: start it with `flask wats serve`.\n", 503))
    return app


def create_app(settings: "Settings") -> "Flask":
    """The application for one web process. Its store is closed; whoever serves it opens the store."""
    from flask import Flask

    from app.assembly import build_gateway
    from app.gateway import EXTENSION
    from app.web.body import EXTENSION as BODIES
    from app.web.body import BodyBudget
    from app.web.errors import register_errors
    from app.web.guards import register_guards
    from app.web.manners import Manners
    from app.web.openapi import documented_api
    from app.web.sessions import NoSessions

    app = Flask("wats", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.session_interface = NoSessions()
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    parts = app.extensions[EXTENSION] = build_gateway(settings)
    bodies = app.extensions[BODIES] = BodyBudget()
    app.wsgi_app = Manners(app.wsgi_app, parts.metrics, bodies.take_leave)  # type: ignore[method-assign]

    register_guards(app)
    api = documented_api(app)
    register_errors(app)

    _register_rooms(app, api, settings)
    return app


def _register_rooms(app: "Flask", api: "Api", settings: "Settings") -> None:
    from app.delivery.destinations import bp as destinations
    from app.delivery.routes import bp as deliveries
    from app.events.consumers import bp as consumers
    from app.events.contacts import bp as contacts
    from app.events.routes import bp as events
    from app.health.routes import bp as health
    from app.web.docs import bp as docs
    from app.webhook.openapi import document_webhook
    from app.webhook.receipts import bp as receipts
    from app.webhook.routes import bp as webhook

    app.register_blueprint(webhook, url_prefix=settings.webhook.path)
    document_webhook(api.spec, app)
    api.register_blueprint(health)
    for room in (receipts, events, consumers, contacts, deliveries, destinations):
        api.register_blueprint(room, url_prefix=settings.service.api_prefix)
    app.register_blueprint(docs)
