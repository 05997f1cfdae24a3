"""The corridor: background work, claimed, handled and settled. So far only the worker's sign of life walks here."""
