"""The door for servers and for the `flask` command.

Under gunicorn, whose gunicorn.conf.py has loaded the settings, `app` is the gateway. Anywhere else it only
carries the `wats` commands, needs no config, and serves nothing.
"""

from flask import Flask

from app import command_app, create_app
from app.config.handover import handed_over

settings = handed_over()
app: Flask = command_app() if settings is None else create_app(settings)
