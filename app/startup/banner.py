"""What a start tells about itself: one JSON line for machines, a readable block for a terminal. No secrets, but
for those that a dry-run has just made at random, which nobody could know otherwise."""

import json
import time
from typing import TextIO

from app.config.settings import Mode, Settings
from app.domain import VERSION
from app.domain.meta.signature import SIGNATURE_HEADER, signature_of


def print_banner(settings: Settings, out: TextIO) -> None:
    """Say that the gateway listens, and how to try it."""
    facts = start_facts(settings)
    out.write(_block(facts) if out.isatty() else json.dumps({"event": "serve.listening", **facts}) + "\n")
    out.flush()


def print_warnings(settings: Settings, out: TextIO) -> None:
    """Say what deserves attention, and the secrets made for this run."""
    for notice in settings.warnings:
        out.write(f"warning: {notice}\n")
    for variable, value in settings.generated_secrets:
        out.write(f"made for this run: {variable}={value}\n")
    out.flush()


def start_facts(settings: Settings) -> dict[str, str]:
    """Mode, address, webhook URL and kind of database; in dry-run also a command to try it with."""
    host = settings.service.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.service.port}"
    facts = {
        "version": VERSION,
        "mode": settings.mode.value,
        "profile": settings.profile,
        "address": address,
        "webhookUrl": address + settings.webhook.path,
        "database": settings.storage.kind,
    }
    if settings.mode is Mode.DRY_RUN:
        facts["try"] = _sample_command(settings, facts["webhookUrl"])
    return facts


def _sample_command(settings: Settings, url: str) -> str:
    sample = _sample(settings)
    signature = signature_of(sample.encode(), settings.webhook.app_secret.current)
    url = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    return (
        f"curl -sS {url} -H 'Content-Type: application/json' -H '{SIGNATURE_HEADER}: {signature}' "
        f"--data-binary '{sample}'"
    )


def _sample(settings: Settings) -> str:
    """A message to this gateway's own number, so that it is pushed; another one at each start, so that it is new."""
    now = time.time_ns()
    message = {
        "from": "4915112345678",
        "id": f"wamid.sample.{now}",
        "timestamp": str(now // 10**9),
        "type": "text",
        "text": {"body": "Hello, wats"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": settings.whatsapp.phone_number_ids[0]},
        "contacts": [{"profile": {"name": "Ada"}, "wa_id": "4915112345678"}],
        "messages": [message],
    }
    entry = {"id": settings.whatsapp.waba_id, "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, separators=(",", ":"))


def _block(facts: dict[str, str]) -> str:
    lines = [f"  {name:<11} {value}" for name, value in facts.items() if name != "try"]
    sample = ["", "  Post a correctly signed webhook:", "", f"  {facts['try']}"] if "try" in facts else []
    return "\n".join(["", "wats is listening", "", *lines, *sample, "", ""])
