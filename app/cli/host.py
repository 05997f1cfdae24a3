"""The Flask application that `flask wats …` finds in `wsgi.py`: it only holds the commands."""

from flask import Flask

from app.cli import wats


def command_app() -> Flask:
    """Return an application that holds the `wats` commands and answers every request with 503."""
    app = Flask("wats", static_folder=None)
    app.cli.add_command(wats)
    app.before_request(lambda: ("This is not the gateway: start it with `flask wats serve`.\n", 503))
    return app
