"""The gateway: what a request or a job may use. Only the assembly makes one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.config import Settings
from app.destinations import Destinations
from app.graph.call import GraphApi
from app.log.contact_label import ContactLabel
from app.metrics import Metrics
from app.store import Store
from app.store.media_folder import MediaFolder
from app.tracing import Tracing

Clock = Callable[[], datetime]
"""Returns the time as an aware UTC datetime."""

EXTENSION = "wats"


@dataclass(frozen=True)
class Gateway:
    """Settings, store, clock, metrics, tracing, destinations, the folder of received media, and the Graph API of
    this process. `contact_label`: what the log says of a customer.

    `jitter` returns random numbers from 0 to 1, which spread out retries.
    """

    settings: Settings
    store: Store
    clock: Clock
    metrics: Metrics
    tracing: Tracing
    contact_label: ContactLabel
    destinations: Destinations
    jitter: Callable[[], float]
    media_folder: MediaFolder
    make_graph: Callable[["Gateway"], GraphApi]

    @cached_property
    def graph(self) -> GraphApi:
        """Return the client of the Graph API, made when it is first needed; in a dry-run that of the fake Meta."""
        return self.make_graph(self)
