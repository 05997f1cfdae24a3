"""A bot as pywa's users write one, unchanged, and told nothing of a gateway: it says what its handlers see."""

import json
import logging
import os

from flask import Flask
from pywa import WhatsApp, types
from werkzeug.serving import make_server

server = Flask(__name__)
wa = WhatsApp(
    phone_id="9876543210",
    token="unused",
    server=server,
    webhook_endpoint="/bot",
    verify_token="unused",
    app_secret=os.environ["BOT_APP_SECRET"],
)


def say(handler: str, what: object, sender: object) -> None:
    print(json.dumps([handler, str(what), str(sender)]), flush=True)


class SayErrors(logging.Handler):
    """pywa answers 200 also where it fails on an update: only its log says so."""

    def emit(self, record: logging.LogRecord) -> None:
        say("error", record.getMessage(), record.exc_info and record.exc_info[1])


logging.getLogger("pywa").addHandler(SayErrors(logging.ERROR))


@wa.on_raw_update
def on_update(_: WhatsApp, update: types.RawUpdate) -> None:
    say("update", json.dumps(update), update.id)


@wa.on_message
def on_message(_: WhatsApp, message: types.Message) -> None:
    say(f"message {message.type.value}", message.id, message.from_user.wa_id)


@wa.on_callback_button
def on_button(_: WhatsApp, button: types.CallbackButton) -> None:
    say("button", button.id, button.from_user.wa_id)


@wa.on_callback_selection
def on_selection(_: WhatsApp, selection: types.CallbackSelection) -> None:
    say("selection", selection.id, selection.from_user.wa_id)


@wa.on_message_status
def on_status(_: WhatsApp, status: types.MessageStatus) -> None:
    say(f"status {status.status.value}", status.id, status.from_user.wa_id)


@wa.on_phone_number_change
def on_number(_: WhatsApp, change: types.PhoneNumberChange) -> None:
    say("number changed", change.id, change.new_wa_id)


@wa.on_template_status_update
def on_template(_: WhatsApp, update: types.TemplateStatusUpdate) -> None:
    say("template", update.template_name, update.new_status.value)


if __name__ == "__main__":
    listening = make_server("127.0.0.1", 0, server, threaded=True)
    print(listening.server_port, flush=True)
    listening.serve_forever()
