"""The store's repositories, one for each topic."""

from app.store.attention import Attention
from app.store.clock import Clock
from app.store.consumers import Consumers
from app.store.conversations import Conversations
from app.store.deliveries import Deliveries
from app.store.events import Events
from app.store.fake_meta import FakeMetaState
from app.store.heartbeats import Heartbeats
from app.store.jobs import Jobs
from app.store.media import MediaFiles
from app.store.media_marks import MediaMarks
from app.store.message_retention import MessageRetention
from app.store.messages import Messages
from app.store.outbound import OutboundChanges
from app.store.queue_kinds import QUEUE_KINDS
from app.store.queues import Queues
from app.store.receipts import Receipts
from app.store.reconciling import Reconciling
from app.store.repository import StoreContext
from app.store.retention import Retention
from app.store.sending import Sending
from app.store.upkeep import Upkeep


class Repositories:
    """Base of `Store`: one attribute for each topic, as in `store.events`."""

    def __init__(self, store: StoreContext) -> None:
        self.receipts = Receipts(store)
        self.messages = Messages(store)
        self.reconciling = Reconciling(store)
        self.conversations = Conversations(store)
        self.message_retention = MessageRetention(store)
        self.events = Events(store)
        self.consumers = Consumers(store)
        self.retention = Retention(store)
        self.jobs = Jobs(store, QUEUE_KINDS)
        self.queues = Queues(store)
        self.deliveries = Deliveries(store)
        self.sending = Sending(store)
        self.media = MediaFiles(store)
        self.media_marks = MediaMarks(store)
        self.outbound = OutboundChanges(store)
        self.heartbeats = Heartbeats(store)
        self.fake_meta = FakeMetaState(store)
        self.clock = Clock(store)
        self.attention = Attention(store)
        self.upkeep = Upkeep(store)
