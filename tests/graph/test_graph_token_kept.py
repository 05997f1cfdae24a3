"""A token that Meta cannot read, and repeats in its error, is never shown, neither as a whole nor in part."""

import hashlib
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.destinations import ScriptedDestination
from tests.support.live import PROFILE, write_config
from tests.support.serving import environment, serving
from tests.support.waiting import wait_for
from tests.support.webhooks import PATH, bearer, body_of, signed

pytestmark = pytest.mark.usefixtures("unmeasured")

TOKEN = "EAA" + "".join(hashlib.sha256(bytes([each])).hexdigest() for each in range(4))[:221]
PARTS = {TOKEN[at : at + 9] for at in range(len(TOKEN) - 8)}
MORE = """
    graph: {{ baseUrl: "{meta}" }}
    destinations:
      - {{ name: ops, url: "{ops}", secret: {{ env: TEST_OPS_SECRET }}, types: [none], operatorEvents: true }}
"""


def shown(text: str) -> list[str]:
    return sorted(part for part in PARTS if part in text)


def test_no_part_of_a_token_that_meta_repeats_is_shown(meta: ScriptedDestination, tmp_path: Path) -> None:
    error = {"code": 190, "message": f"Malformed access token {TOKEN}", "error_data": {"details": f"of {TOKEN}"}}
    meta.will_answer(401, json.dumps({"error": error, "at": quote(TOKEN, safe="")}).encode())
    ops = ScriptedDestination()
    secret = {"TEST_ACCESS_TOKEN": TOKEN, "TEST_OPS_SECRET": "ops-secret-1c0f84e2d7a94b35"}
    config = write_config(tmp_path, PROFILE + MORE.format(meta=meta.url, ops=ops.url))

    with serving(
        *(tmp_path, "--config", str(config), "--live", "--yes-live", "--workers", "1"),
        environ=environment(tmp_path, **secret),
    ) as running:
        body = body_of()
        running.ask("POST", PATH, body, signed(body))
        answers: list[bytes] = []

        def is_refused(method: str, path: str, body: bytes = b"") -> bool:
            headers = {**bearer(), "Content-Type": "application/json"}
            answers.append(running.ask(method, f"/api{path}", body, headers)[1])
            return b"meta_refused" in answers[-1] and b"190" in answers[-1]

        wait_for(lambda: is_refused("POST", "/messages/wamid.HBgL/read", b"{}"))
        wait_for(lambda: is_refused("GET", "/media/1003383421387256"))
        wait_for(lambda: b"token_dead" in b"".join(call.body for call in ops.calls))
        status = json.dumps(running.json("/status", bearer()))
        told = b"".join([*answers, *(call.body for call in ops.calls)]).decode() + running.err + running.out
    ops.close()

    assert "token_dead" in status
    assert shown(status + told) == []
    data = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert shown(data.decode("latin-1")) == []
