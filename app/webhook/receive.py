"""Taking one webhook: the bytes and their signature in, a durable receipt out."""

from app.domain.receipt import NewReceipt, SignedWith, Stored
from app.gateway import Gateway


def receive(body: bytes, signed_with: SignedWith, gateway: Gateway) -> Stored:
    """Keep verified bytes; returns when they are durable. Raises `StoreUnavailable` when they are not."""
    return gateway.store.receipts.add(NewReceipt(body, gateway.clock(), signed_with))
