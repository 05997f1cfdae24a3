"""Fetching on arrival: a received file is kept as a whole, served without Meta, and goes with its customer."""

import base64
import hashlib
import itertools
import json
import os
import signal
import threading
from typing import Any

from app.store.disk_files import PART
from app.store.media_folder import MARK
from tests.media.forms import JPEG, ask
from tests.media.scripted_meta import FileAtMeta, ScriptedMeta
from tests.support.serving import Running
from tests.support.waiting import DEADLINE_SECONDS, wait_for
from tests.support.webhooks import PATH, bearer, signed

IDS = itertools.count(7_000_000)


def receive(served: Running, media_id: str, sender: str = "4915112345678", **media: Any) -> None:
    """Let Meta post an image of a customer."""
    image = {"id": media_id, "mime_type": "image/jpeg", **media}
    message = {"from": sender, "id": f"wamid.{media_id}", "timestamp": "1764000000", "type": "image", "image": image}
    metadata = {"display_phone_number": "15550001111", "phone_number_id": "9876543210"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]}
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    assert served.ask("POST", PATH, body, signed(body))[0] == 200


def file_of(served: Running, media_id: str) -> dict[str, Any] | None:
    items = served.json("/api/media?limit=100", bearer())["items"]
    return next((item for item in items if item["id"] == media_id), None)


def wait_until(served: Running, media_id: str, state: str) -> dict[str, Any]:
    def is_so() -> bool:
        file = file_of(served, media_id)
        return file is not None and file["state"] == state

    wait_for(is_so)
    file = file_of(served, media_id)
    assert file is not None
    return file


def stored_names(served: Running) -> set[str]:
    return {path.name for path in (served.folder / "data" / "media").rglob("*") if path.is_file()}


def test_a_received_file_is_kept_and_served_without_meta(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = file = FileAtMeta(JPEG)
    digest = base64.b64encode(hashlib.sha256(JPEG).digest()).decode()

    receive(served, media_id, sha256=digest)
    listed = wait_until(served, media_id, "stored")
    meta.files.clear()
    content = ask(served, "GET", f"/media/{media_id}/content")
    shown = ask(served, "GET", f"/media/{media_id}")

    assert (content.status, content.body) == (200, JPEG)
    assert shown.json["stored"] is True
    assert (listed["sha256"], listed["size"], listed["lastError"]) == (file.sha256, len(JPEG), None)
    assert media_id in stored_names(served)


def test_the_address_of_the_webhook_saves_a_call(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = FileAtMeta(JPEG)

    receive(served, media_id, url=f"{meta.url}/file/{media_id}")
    wait_until(served, media_id, "stored")

    assert [asked.path for asked in meta.asked_for("GET", media_id)] == [f"/file/{media_id}"]


def test_a_damaged_file_is_not_kept_and_comes_again(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = FileAtMeta(JPEG, serves=JPEG[::-1])

    receive(served, media_id)
    wait_for(lambda: (file_of(served, media_id) or {}).get("attempts"))
    failed, kept = file_of(served, media_id), stored_names(served)
    meta.files[media_id] = FileAtMeta(JPEG)
    wait_until(served, media_id, "stored")

    assert failed is not None
    assert failed["state"] == "waiting"
    assert "damaged" in failed["lastError"]
    assert media_id not in kept


def test_a_worker_that_is_killed_leaves_no_half_of_a_file(served: Running, meta: ScriptedMeta) -> None:
    media_id, goes_on = str(next(IDS)), threading.Event()
    meta.files[media_id] = FileAtMeta(size=10 * 64 * 1024, mime_type="application/pdf", halts=goes_on)
    receive(served, media_id)
    assert meta.halted.wait(DEADLINE_SECONDS)
    wait_for(lambda: any(name.startswith(PART) for name in stored_names(served)))
    [worker] = served.pids_of("wats-worker")

    os.kill(worker, signal.SIGKILL)
    half = stored_names(served)
    goes_on.set()
    file = wait_until(served, media_id, "stored")

    assert media_id not in half
    assert file["size"] == 10 * 64 * 1024
    assert len(ask(served, "GET", f"/media/{media_id}/content").body) == file["size"]


def test_the_files_of_an_erased_customer_are_deleted(served: Running, meta: ScriptedMeta) -> None:
    gone, stays = str(next(IDS)), str(next(IDS))
    meta.files.update({gone: FileAtMeta(JPEG), stays: FileAtMeta(JPEG)})
    receive(served, gone, sender="4915777000111")
    receive(served, stays, sender="4915777000222")
    for media_id in (gone, stays):
        wait_until(served, media_id, "stored")

    cursor: str | None = ""
    while cursor is not None:
        body = {"contact": "4915777000111", **({"cursor": cursor} if cursor else {})}
        answer = ask(served, "POST", "/contacts/erase", json.dumps(body).encode(), Content_Type="application/json")
        cursor = answer.json["nextCursor"]

    assert file_of(served, gone) is None
    assert {gone, stays} & stored_names(served) == {stays}


def test_a_deleted_file_is_gone_at_meta_and_here(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = FileAtMeta(JPEG)
    receive(served, media_id)
    wait_until(served, media_id, "stored")

    answer = ask(served, "DELETE", f"/media/{media_id}")

    assert answer.status == 204
    assert media_id not in {*stored_names(served), *meta.files}
    assert meta.asked_for("DELETE")[-1].path.endswith(f"/{media_id}?phone_number_id=9876543210")
    assert ask(served, "GET", f"/media/{media_id}/content").status == 404


def test_a_file_is_fetched_again_when_an_operator_says_so(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = FileAtMeta(JPEG)
    receive(served, media_id)
    wait_until(served, media_id, "stored")
    meta.files[media_id] = FileAtMeta(JPEG * 2)

    again = ask(served, "POST", f"/media/{media_id}/fetch")

    assert (again.status, again.json["state"]) == (202, "waiting")
    wait_until(served, media_id, "stored")
    assert ask(served, "GET", f"/media/{media_id}/content").body == JPEG * 2


def test_a_file_that_the_disk_has_damaged_is_fetched_again(served: Running, meta: ScriptedMeta) -> None:
    media_id = str(next(IDS))
    meta.files[media_id] = FileAtMeta(JPEG)
    receive(served, media_id)
    wait_until(served, media_id, "stored")
    [stored] = (served.folder / "data" / "media").rglob(media_id)
    stored.write_bytes(JPEG[::-1])

    damaged = ask(served, "GET", f"/media/{media_id}/content")
    wait_for(lambda: stored.read_bytes() == JPEG)

    assert (damaged.status, damaged.error["code"]) == (503, "meta_unavailable")


def test_lists_are_filtered_and_refuse_what_is_no_state(served: Running, meta: ScriptedMeta) -> None:
    dead = ask(served, "GET", "/media?state=dead")
    wrong = ask(served, "GET", "/media?state=deleted")

    assert dead.json["items"] == []
    assert (wrong.status, wrong.error["code"]) == (400, "invalid_parameter")


def test_a_folder_that_a_copy_of_the_database_uses_is_reported_and_takes_no_file(
    served: Running, meta: ScriptedMeta
) -> None:
    first, media_id, later = str(next(IDS)), str(next(IDS)), str(next(IDS))
    meta.files |= dict.fromkeys((first, media_id, later), FileAtMeta(JPEG))
    receive(served, first)
    wait_until(served, first, "stored")
    [folder] = (served.folder / "data" / "media").glob("wats-*")
    kept = (folder / MARK).read_text()

    (folder / MARK).write_text("of a copy")
    wait_for(lambda: "media_folder" in attention(served))
    receive(served, media_id)
    wait_for(lambda: "another copy" in str((file_of(served, media_id) or {}).get("lastError")))
    is_there = media_id in stored_names(served)
    (folder / MARK).write_text(kept)
    wait_for(lambda: "media_folder" not in attention(served))
    receive(served, later)
    wait_until(served, later, "stored")

    assert not is_there


def attention(served: Running) -> list[str]:
    return [alert["code"] for alert in served.json("/status", bearer())["attention"]]
