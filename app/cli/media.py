"""`media`: upload, show, download and delete files of messages, and list or fetch again what was received."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from app.cli import CommandFailed
from app.cli.client import Client
from app.cli.form_body import FormBody
from app.cli.listing import print_list
from app.cli.options import as_json_option, client_options, page_options
from app.cli.tables import print_object
from app.config import ApiAccess
from app.domain.media_file import FileState
from app.domain.meta.media_types import extension_of

COLUMNS = ("id", "state", "mimeType", "size", "attempts", "lastError", "createdAt")
STATES = [state.value for state in FileState if state is not FileState.DELETED]


@click.group("media")
def media_group() -> None:
    """Upload, show, download and delete files of messages; list those that were received."""


@media_group.command("upload")
@client_options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--type", "mime_type", default="", help="Its media type; by default that of the file's extension.")
@click.option("--from", "number", help="The phone number id that it is for, where there are several.")
@as_json_option
def upload_media(access: ApiAccess, file: Path, mime_type: str, number: str | None, as_json: bool) -> None:
    """Upload FILE; messages name it by the id that is printed."""
    if not (file.is_file() and os.access(file, os.R_OK)):
        raise CommandFailed(f"{file} is not a readable file")
    form = FormBody(file, mime_type, {"from": number} if number else {})
    print_object(Client(access).upload("/media", form), as_json=as_json)


@media_group.command("show")
@client_options
@click.argument("media_id")
@as_json_option
def show_media(access: ApiAccess, media_id: str, as_json: bool) -> None:
    """Show what is known of a file: its type, its size and its SHA-256."""
    print_object(Client(access).get(_path(media_id)), as_json=as_json)


@media_group.command("download")
@client_options
@click.argument("media_id")
@click.option("--out", help="The file to write, or - for standard output; by default the id with an extension.")
def download_media(access: ApiAccess, media_id: str, out: str | None) -> None:
    """Download a file. One that exists is not overwritten."""
    client = Client(access)
    pieces = client.download(f"{_path(media_id)}/content")
    if out == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    target = Path(out) if out else Path(media_id + extension_of(client.get(_path(media_id))["mimeType"]))
    click.echo(f"wrote {target} ({_write(target, pieces)} bytes)", err=True)


@media_group.command("delete")
@client_options
@click.argument("media_id")
def delete_media(access: ApiAccess, media_id: str) -> None:
    """Delete a file at Meta, and where the gateway keeps it."""
    Client(access).delete(_path(media_id))
    click.echo("deleted", err=True)


@media_group.command("list")
@client_options
@click.option("--state", type=click.Choice(STATES), help="Only files in this state.")
@page_options
@as_json_option
def list_media(access: ApiAccess, as_json: bool, **query: Any) -> None:
    """List the received files that are fetched on arrival, newest first."""
    print_list(access, "/media", query, COLUMNS, nothing="no files", as_json=as_json)


@media_group.command("fetch")
@client_options
@click.argument("media_id")
@as_json_option
def fetch_media(access: ApiAccess, media_id: str, as_json: bool) -> None:
    """Fetch a received file again, such as one that was given up; Meta has it for 7 days."""
    print_object(Client(access).post(f"{_path(media_id)}/fetch"), as_json=as_json)


def _write(target: Path, pieces: Iterable[bytes]) -> int:
    """Write a file that has its name only when it is complete; return its size."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("xb") as file:
            try:
                size = sum(file.write(piece) for piece in pieces)
                os.link(part, target)
            finally:
                part.unlink()
    except FileExistsError as error:
        raise CommandFailed(f"{error.filename2 or error.filename} exists already; name another file") from error
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}") from error
    return size


def _path(media_id: str) -> str:
    return f"/media/{quote(media_id, safe='')}"
