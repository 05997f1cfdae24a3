"""Prints the settings at the start: one JSON line for machines, a readable block for a terminal.

No secrets, except those that a dry-run has just generated: they are stored nowhere else.
"""

import json
import time
from typing import TextIO

from app.config.secrets.lookup import PLACEHOLDER_PREFIXES
from app.config.settings import Mode, Settings
from app.domain import VERSION
from app.domain.compact_json import compact_json
from app.domain.meta.signature import SIGNATURE_HEADER, signature_of

NEXT_IN_DRY_RUN = "`flask wats webhook send message.text`, then `flask wats events list`"
NEXT = "`flask wats status`; `flask wats onboarding` has Meta's side"


def print_banner(settings: Settings, out: TextIO) -> None:
    """Print that the gateway listens, and in a dry-run how to try it."""
    details = start_details(settings)
    out.write(
        _block(details, settings) if out.isatty() else json.dumps({"event": "serve.listening", **details}) + "\n"
    )
    out.flush()


def print_warnings(settings: Settings, out: TextIO) -> None:
    """Print the warnings, and the secrets that were generated for this run."""
    for warning in settings.warnings:
        out.write(f"warning: {warning}\n")
    for variable, value in settings.generated_secrets:
        out.write(f"generated for this run: {variable}={value}\n")
    out.flush()


def start_details(settings: Settings) -> dict[str, str]:
    """Return mode, address, webhook URL and kind of database; in a dry-run also a command that posts a webhook."""
    host = settings.service.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.service.port}"
    details = {
        "version": VERSION,
        "mode": settings.mode.value,
        "profile": settings.profile,
        "address": address,
        "webhookUrl": address + settings.webhook.path,
        "docs": f"{address}/docs",
        "database": settings.storage.kind,
    }
    if settings.mode is Mode.DRY_RUN:
        details["try"] = _sample_command(settings, details["webhookUrl"])
    return details


def _sample_command(settings: Settings, url: str) -> str:
    sample = _sample(settings)
    signature = signature_of(sample.encode(), settings.webhook.app_secret.current)
    url = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return (
        f"curl -sS {url} -H 'Content-Type: application/json' -H '{SIGNATURE_HEADER}: {signature}' "
        f"--data-binary '{sample}'"
    )


def _sample(settings: Settings) -> str:
    """Return a webhook that is pushed: a text message to the profile's number. Its id is new at each start."""
    now = time.time_ns()
    message = {
        "from": "4915112345678",
        "from_user_id": "DE.13491208655302741918",
        "id": f"wamid.sample.{now}",
        "timestamp": str(now // 10**9),
        "type": "text",
        "text": {"body": "Hello, wats"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": settings.whatsapp.phone_number_ids[0]},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": message["from"], "user_id": message["from_user_id"]}],
        "messages": [message],
    }
    entry = {"id": settings.whatsapp.waba_id, "changes": [{"field": "messages", "value": value}]}
    return compact_json({"object": "whatsapp_business_account", "entry": [entry]})


def _block(details: dict[str, str], settings: Settings) -> str:
    shown = {name: value for name, value in details.items() if name != "try"}
    token = settings.service.tokens[0].token.current
    if settings.mode is Mode.DRY_RUN and token.startswith(PLACEHOLDER_PREFIXES):
        shown["token"] = f"{token} (for the API; the same in every dry-run)"
    shown["next"] = NEXT_IN_DRY_RUN if settings.mode is Mode.DRY_RUN else NEXT
    lines = [f"  {name:<11} {value}" for name, value in shown.items()]
    sample = ["", "  Post a correctly signed webhook:", "", f"  {details['try']}"] if "try" in details else []
    return "\n".join(["", "wats is listening", "", *lines, *sample, "", ""])
