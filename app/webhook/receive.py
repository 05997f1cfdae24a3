"""Receive one webhook: the verified bytes in, a durable receipt out."""

from app.domain.receipt import NewReceipt, SignedWith, Stored
from app.domain.trace import TraceContext
from app.gateway import Gateway


def receive(body: bytes, signed_with: SignedWith, gateway: Gateway, trace: TraceContext) -> Stored:
    """Store verified bytes and count them; return once they are durable. Raises `StoreUnavailable`."""
    stored = gateway.store.receipts.add(NewReceipt(body, gateway.clock(), signed_with, trace))
    gateway.metrics.webhook_stored(stored)
    return stored
