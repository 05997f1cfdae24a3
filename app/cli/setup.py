"""`setup`: ask for everything that live mode needs, and write the config and the env file. It calls no service."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from app.cli import CommandFailed
from app.cli.new_secrets import new_destination_secret, new_token
from app.cli.scaffold.new_files import existing_files, write_new_files
from app.cli.scaffold.template import (
    CONFIG_NAME,
    DATABASE_URL,
    DESTINATION_SECRET,
    ENV_NAME,
    new_config,
    new_env_file,
)
from app.config.errors import InvalidValue
from app.config.schema.databases import database_url
from app.config.schema.urls import DESTINATION_URL
from app.config.secrets.lookup import PLACEHOLDER_PREFIXES
from app.config.start_options import ENV_FILE, LIVE, PORT, YES_LIVE

T = TypeVar("T")

_ID = re.compile(r"(?!0+$)[0-9]{1,20}", re.ASCII)
_SECRET = re.compile(r"""[\x21\x23-\x26\x28-\x7e]{1,4096}""")
PROFILE = "prod"
WHERE = {
    "ids": "Meta's dashboard: your app > Use cases > Connect with customers through WhatsApp > Customize > API Setup",
    "token": "That of a system user, with whatsapp_business_messaging and whatsapp_business_management:\n"
    "business.facebook.com > Settings > Users > System users > Generate token (expiration: never).",
    "secret": "Meta's dashboard: your app > App settings > Basic > App secret.",
    "database": "Empty: a SQLite file on this machine. Else a PostgreSQL URL, which is not shown.",
    "destination": "Empty: your application pulls events. Else each event is posted to this URL.",
}


@dataclass(frozen=True)
class Answers:
    """The operator's answers, each of them checked."""

    waba_id: str
    number_id: str
    access_token: str
    app_secret: str
    port: int
    database_url: str
    destination_url: str


@click.command("setup")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=".")
def setup_command(folder: Path) -> None:
    """Ask for the ids and secrets of live mode, and write wats.config.yaml and .env.local into DIR.

    Secrets are not shown while they are typed. The verify token, the service token and a destination's secret are
    made at random. Only the owner can read .env.local. Either both files are written or none; existing ones are kept.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("Standard input is not a terminal. `flask wats init` writes files to be filled in.")
    if existing := existing_files(folder, {CONFIG_NAME: "", ENV_NAME: ""}):
        raise CommandFailed(f"nothing written; existing files: {', '.join(map(str, existing))}")
    answers = ask()
    try:
        write_new_files(folder, files_of(answers), private=[ENV_NAME])
    except OSError as error:
        raise CommandFailed(f"nothing written: {folder}: {error.strerror}") from error
    _print_next_steps(folder / CONFIG_NAME, folder / ENV_NAME)


def ask() -> Answers:
    """Ask for everything; a wrong answer is asked for again."""
    _say("ids")
    waba_id = click.prompt("WhatsApp Business Account id", value_proc=_id, err=True)
    number_id = click.prompt("Phone number id", value_proc=_id, err=True)
    _say("token")
    access_token = click.prompt("Access token", value_proc=_secret, hide_input=True, err=True)
    _say("secret")
    app_secret = click.prompt("App secret", value_proc=_secret, hide_input=True, err=True)
    port = click.prompt("Port to listen on", default="3000", value_proc=_checked(PORT.type.parse), err=True)
    _say("database")
    database = _optional("Database", _checked(database_url), hidden=True)
    _say("destination")
    destination = _optional("URL of your application", _checked(lambda text: str(DESTINATION_URL.read(text))))
    return Answers(waba_id, number_id, access_token, app_secret, port, database, destination)


def files_of(answers: Answers) -> dict[str, str]:
    """Return the texts of the files by name."""
    secrets = {
        "WATS_ACCESS_TOKEN": answers.access_token,
        "WATS_APP_SECRET": answers.app_secret,
        "WATS_VERIFY_TOKEN": new_token(),
        "WATS_SERVICE_TOKEN": new_token(),
        **({DATABASE_URL: answers.database_url} if answers.database_url else {}),
        **({DESTINATION_SECRET: new_destination_secret()} if answers.destination_url else {}),
    }
    config = new_config(
        PROFILE,
        waba_id=f'"{answers.waba_id}"',
        number_id=f'"{answers.number_id}"',
        port=answers.port,
        is_postgres=bool(answers.database_url),
        url=json.dumps(answers.destination_url)[1:-1],
    )
    return {CONFIG_NAME: config, ENV_NAME: new_env_file(secrets)}


def _optional(question: str, check: Callable[[str], str], *, hidden: bool = False) -> str:
    answer: str = click.prompt(
        question,
        default="",
        show_default=False,
        value_proc=lambda text: text and (check(text) and text),
        hide_input=hidden,
        err=True,
    )
    return answer


def _checked(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return a check of an answer that click repeats the question for."""

    def check(text: str) -> T:
        try:
            return read(text.strip())
        except InvalidValue as invalid:
            raise click.UsageError(invalid.message) from invalid

    return check


def _id(text: str) -> str:
    if not _ID.fullmatch(text.strip()):
        raise click.UsageError("1 to 20 digits are needed")
    return text.strip()


def _secret(text: str) -> str:
    if not _SECRET.fullmatch(text.strip()) or text.startswith(PLACEHOLDER_PREFIXES):
        raise click.UsageError("visible ASCII characters without blanks and quotes are needed")
    return text.strip()


def _say(topic: str) -> None:
    click.echo(f"\n{WHERE[topic]}", err=True)


def _print_next_steps(config: Path, env_file: Path) -> None:
    """Print the files, and on standard error what comes next."""
    click.echo(f"{config}\n{env_file}")
    options = f"--config {config} {ENV_FILE.flag} {env_file}"
    click.echo(
        f"\nnext: try it without Meta:  flask wats serve --dry-run --config {config}"
        f"\n      check everything:     flask wats doctor {options} {LIVE.flag} {YES_LIVE.flag}"
        f"\n      go live:              flask wats serve {options} {LIVE.flag} {YES_LIVE.flag}"
        f"\n      Meta's side of it:    flask wats onboarding --config {config} --public-url https://YOUR-HOST",
        err=True,
    )
