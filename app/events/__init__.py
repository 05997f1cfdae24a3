"""Events: split them out of receipts, and serve them to consumers that pull."""
