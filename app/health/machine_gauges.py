"""Gauges of the program, its processes and its disk. They need no answer of the store."""

import platform
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from app.domain import VERSION
from app.gateway import Gateway
from app.health.processes import ProcessUse, processes_of_gateway
from app.store.media_folder import FolderUnusable


def machine_gauges(gateway: Gateway) -> Iterator[Metric]:
    """Yield the gauges of this machine."""
    build = GaugeMetricFamily(
        "wats_build_info", "1, with what the gateway is.", labels=["version", "python", "database"]
    )
    build.add_metric([VERSION, platform.python_version(), gateway.store.kind], 1)
    yield build
    yield from _process_gauges(processes_of_gateway())
    free = gateway.store.free_bytes()
    if free is not None:
        yield GaugeMetricFamily("wats_disk_free_bytes", "Free space on the disk of a SQLite database.", free)
    yield from _media_gauge(gateway)


def _media_gauge(gateway: Gateway) -> Iterator[Metric]:
    """Yield the free space where received files are kept, if they are, and the disk of their folder answers."""
    if gateway.settings.media.fetch_on_arrival:
        with suppress(FolderUnusable):
            free = gateway.media_folder.free_bytes()
            text = "Free space on the disk of the folder of received media."
            yield GaugeMetricFamily("wats_media_disk_free_bytes", text, free)


def _process_gauges(processes: list[ProcessUse]) -> Iterator[Metric]:
    by_name: dict[str, list[ProcessUse]] = defaultdict(list)
    for process in processes:
        by_name[process.name].append(process)
    number = _by_process("wats_processes", "Processes of the gateway on this machine, by name.")
    resident = _by_process("wats_process_resident_bytes", "Their resident memory, added up by name.")
    seconds = _by_process("wats_process_cpu_seconds", "Processor time of those that run, added up by name.")
    descriptors = _by_process("wats_process_open_descriptors", "The most descriptors that one of a name has open.")
    for name, uses in sorted(by_name.items()):
        number.add_metric([name], len(uses))
        resident.add_metric([name], sum(use.resident_bytes for use in uses))
        seconds.add_metric([name], sum(use.cpu_seconds for use in uses))
        descriptors.add_metric([name], max(use.open_descriptors for use in uses))
    yield from (number, resident, seconds, descriptors)


def _by_process(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=["process"])
