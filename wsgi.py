"""The entry point for gunicorn and for the `flask` command.

Under gunicorn, whose gunicorn.conf.py has loaded the settings, `app` is the gateway. Otherwise it only registers the
`wats` commands: it needs no config and has no routes. Each case imports only what it needs.
"""

import sys

from flask import Flask

from app.startup.early_stop import end_command_at_sigterm
from app.startup.handover import handed_over

app: Flask
if (settings := handed_over()) is None:
    end_command_at_sigterm(sys.argv)

    from app.cli.host import command_app

    app = command_app()
else:
    from app.factory import application_of

    app = application_of(settings)
