"""The gauges of the program, its processes and its disk, and of consumers and workers."""

import re
from dataclasses import replace
from pathlib import Path

from flask.testing import FlaskClient

from app.config.settings import MediaFolderSettings
from app.domain import VERSION
from app.domain.heartbeat import Heartbeat
from app.gateway import Gateway
from app.health.machine_gauges import machine_gauges
from app.health.processes import _fields_of, processes_of_gateway
from app.store.media_folder import MediaFolder
from tests.support.events import new_event, put_events
from tests.support.webhooks import bearer


def metrics_of(client: FlaskClient) -> dict[str, float]:
    text = client.get("/metrics", headers=bearer()).text
    return {name: float(value) for name, value in re.findall(r"^(wats_[^ ]+) (\S+)$", text, re.MULTILINE)}


def test_the_machine_is_reported_also_while_the_store_is_away(client: FlaskClient, gateway: Gateway) -> None:
    gateway.store.close()

    metrics = metrics_of(client)

    [build] = [name for name in metrics if name.startswith("wats_build_info")]
    assert (f'version="{VERSION}"' in build, 'database="sqlite"' in build) == (True, True)
    assert metrics["wats_disk_free_bytes"] > 0
    assert "wats_workers" not in metrics


def test_the_disk_of_received_media_is_reported_where_they_are_kept(gateway: Gateway, tmp_path: Path) -> None:
    media = MediaFolderSettings(directory=tmp_path, fetch_on_arrival=True)
    keeping = replace(gateway, settings=replace(gateway.settings, media=media))
    kept, nowhere = (MediaFolder(directory, 0, lambda: "0123") for directory in (tmp_path, tmp_path / "none"))

    told = [{one.name for one in machine_gauges(replace(keeping, media_folder=each))} for each in (kept, nowhere)]

    assert ["wats_media_disk_free_bytes" in names for names in told] == [True, False]


def test_processes_are_added_up_by_name() -> None:
    [own, *_] = processes_of_gateway()

    assert own.resident_bytes > 1024 * 1024
    assert own.cpu_seconds > 0
    assert own.open_descriptors >= 3
    assert len(_fields_of(1)) > 20


def test_workers_and_consumers_are_listed(client: FlaskClient, gateway: Gateway) -> None:
    now = gateway.clock()
    gateway.store.heartbeats.beat(Heartbeat("host:1", "worker", "1", now, now))
    put_events(gateway.store, new_event("a"), new_event("b"), received_at=now)
    gateway.store.consumers.ack("crm", 1)

    metrics = metrics_of(client)

    assert (metrics["wats_workers"], "wats_worker_heartbeat_age_seconds" in metrics) == (1, True)
    assert metrics['wats_consumer_lag_events{consumer="crm"}'] == 1
    assert metrics['wats_consumer_oldest_unread_seconds{consumer="crm"}'] >= 0
