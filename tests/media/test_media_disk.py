"""A disk of received files that does not answer, or cannot be read: clients are told, and no other request waits."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.config.settings import MediaFolderSettings
from app.domain.media_file import FileState
from app.domain.meta.media import Media
from app.gateway import EXTENSION, Gateway
from app.health.machine_gauges import machine_gauges
from app.store.media_folder import THREADS, FolderUnusable, MediaFolder
from app.store.tables.media_schema import media_files
from app.store.transactions.follow_media import add_media
from tests.support.store import NOON
from tests.support.waiting import DEADLINE_SECONDS
from tests.support.webhooks import bearer

UNREADABLE = ["a folder in a folder"] * 250
"""A path that is too long for any file system: looking for a file there is an error, and no missing file."""


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[MediaFolder]:
    """A folder all of whose threads wait for a disk: here for a pipe that no process writes to."""
    folder = MediaFolder(tmp_path, 0, lambda: "0123456789abcdef")
    pipe = folder.path / "17" / "17"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    waiting = [gevent.spawn(folder.read, "17") for _ in range(THREADS)]
    gevent.idle()
    yield folder
    answering = os.open(pipe, os.O_RDWR)
    gevent.joinall(waiting)
    os.close(answering)
    for one in waiting:
        list(one.value)


def said_in_time(ask: Callable[[], object]) -> str:
    """Return why the folder could not be used."""
    with gevent.Timeout(DEADLINE_SECONDS), pytest.raises(FolderUnusable) as refused:
        ask()
    return str(refused.value)


def test_no_request_waits_for_a_disk_that_does_not_answer(gateway: Gateway, silent: MediaFolder) -> None:
    media = MediaFolderSettings(directory=silent.path, fetch_on_arrival=True)
    told = replace(gateway, media_folder=silent, settings=replace(gateway.settings, media=media))

    asking = [
        gevent.spawn(said_in_time, lambda: silent.has("18")),
        gevent.spawn(lambda: {one.name for one in machine_gauges(told)}),
    ]
    said, names = (one.get() for one in asking)

    assert said == "media.directory does not answer: see whether its disk is there"
    assert ("wats_disk_free_bytes" in names, "wats_media_disk_free_bytes" in names) == (True, False)


def test_a_file_on_a_disk_that_cannot_be_read_is_answered_with_the_cure(
    app: Flask, client: FlaskClient, gateway: Gateway, tmp_path: Path
) -> None:
    folder = MediaFolder(Path(tmp_path, *UNREADABLE), 0, lambda: "0123456789abcdef")
    app.extensions[EXTENSION] = replace(gateway, media_folder=folder)
    gateway.store.write(lambda c: add_media(c, NOON, [(1, None, Media("17", size=1))]))
    gateway.store.write(lambda c: c.execute(update(media_files).values(state=FileState.STORED.value)))

    answers = [client.get(f"/api/media/17{what}", headers=bearer()) for what in ("", "/content")]

    errors = [(one.status_code, one.get_json()["error"]["code"]) for one in answers]
    assert errors == [(503, "unavailable")] * 2
    assert "media.directory cannot be used" in answers[0].get_json()["error"]["message"]
