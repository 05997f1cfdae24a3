"""One reading of the store. `/status`, the alerts and the gauges of `/metrics` are derived from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.alert import Alert, AlertKey
from app.domain.clock import ClockJump
from app.domain.delivery import DeliveryCounts
from app.domain.destination import DestinationStatus, destination_statuses
from app.domain.foreign_events import ForeignSource
from app.domain.heartbeat import Heartbeat
from app.domain.job import SINGLETON_QUEUES, SPLIT_QUEUE, kind_of_queue
from app.domain.message import SEND_KIND, queue_of_number
from app.domain.queue import QueueDepth, QueueState
from app.domain.refused_webhooks import RefusedWebhooks
from app.domain.scope_pause import ScopePause
from app.gateway import Gateway
from app.store import EventCounts, MessageCounts, ReceiptCounts, Signs

NO_MESSAGES = MessageCounts()
NO_SIGNS = Signs([], [], [])


@dataclass(frozen=True)
class Snapshot:
    """The state of the store at `now`.

    - `deliveries` also has destinations that the profile no longer lists; `destinations` has only those it lists.
    - `consumers_ahead`: names of consumers whose cursor lies beyond the last event.
    - `pauses`: scopes in which nothing is sent. `troubled`: queues whose attempts all fail, or did so lately.
    - `messages`: counts of messages that need a human. `orphaned`: queues of numbers that the profile does not list.
    - `refused`: requests of Meta's route that were refused. `foreign`: accounts and numbers that the profile does not
      list, of which events came lately.
    - `graph_version`: the one in the config. `token_name`: the variable of the access token.
    - `recorded`: the alerts as they were recorded last.
    """

    now: datetime
    receipts: ReceiptCounts
    events: EventCounts
    queues: list[QueueDepth]
    deliveries: dict[str, DeliveryCounts]
    destinations: list[DestinationStatus]
    workers: list[Heartbeat]
    consumers_ahead: list[str]
    clock_jump: ClockJump | None = None
    pauses: tuple[ScopePause, ...] = ()
    troubled: tuple[QueueState, ...] = ()
    messages: MessageCounts = NO_MESSAGES
    orphaned: tuple[QueueDepth, ...] = ()
    refused: tuple[RefusedWebhooks, ...] = ()
    foreign: tuple[ForeignSource, ...] = ()
    signs: Signs = NO_SIGNS
    graph_version: str | None = None
    media_given_up: int = 0
    media_folder_problems: tuple[tuple[str, str], ...] = ()
    token_name: str | None = None
    recorded: Mapping[AlertKey, Alert] = field(default_factory=dict)

    @property
    def dead_letters(self) -> int:
        """The dead deliveries of all destinations."""
        return sum(count.dead for count in self.deliveries.values())

    def age(self, since: datetime | None) -> float | None:
        """Return the seconds from then until now, 0 for a time that is still to come."""
        return None if since is None else max(0.0, round((self.now - since).total_seconds(), 3))


def take_snapshot(gateway: Gateway) -> Snapshot:
    """Read the store. Raises `StoreUnavailable`."""
    store = gateway.store
    now, signs = store.clock.now(), store.attention.signs()
    queues, depths = store.queues.all(), store.jobs.depths()
    receipts, deliveries = store.receipts.counts(), store.deliveries.counts(depths)
    return Snapshot(
        now=now,
        receipts=receipts,
        events=store.events.counts(),
        queues=_with_splitting(depths, receipts),
        deliveries=deliveries,
        destinations=destination_statuses([one.name for one in gateway.settings.destinations], queues, deliveries),
        workers=store.heartbeats.of_kind("worker"),
        consumers_ahead=store.consumers.ahead(),
        clock_jump=store.clock.last_jump(),
        messages=store.messages.counts(timedelta(minutes=gateway.settings.sending.unknown_alert_minutes)),
        orphaned=_orphaned(gateway, depths),
        pauses=tuple(store.sending.pauses()),
        refused=tuple(store.attention.refused()),
        foreign=tuple(one for one in signs.foreign if one.needs_a_look(now, gateway.settings.whatsapp.ours)),
        signs=signs,
        graph_version=gateway.settings.graph.api_version,
        media_given_up=store.media.dead(),
        media_folder_problems=tuple(store.media_marks.problems()),
        token_name=_token_name(gateway),
        recorded=store.attention.recorded(),
        troubled=tuple(queue for queue in queues if queue.is_troubled(now)),
    )


def _orphaned(gateway: Gateway, depths: list[QueueDepth]) -> tuple[QueueDepth, ...]:
    numbers = {queue_of_number(number) for number in gateway.settings.whatsapp.phone_number_ids}
    return tuple(one for one in depths if kind_of_queue(one.queue) == SEND_KIND and one.queue not in numbers)


def _token_name(gateway: Gateway) -> str | None:
    token = gateway.settings.access_token
    return None if token is None else token.name


def _with_splitting(depths: list[QueueDepth], receipts: ReceiptCounts) -> list[QueueDepth]:
    """Return the depths of queues. That of `split` counts pending receipts; other singleton jobs are left out."""
    splitting = QueueDepth(SPLIT_QUEUE, receipts.pending, 0, receipts.oldest_pending_at)
    return [splitting, *(depth for depth in depths if depth.queue not in SINGLETON_QUEUES)]
