"""Retention: prune what is older than the configured age, and erase a customer on request."""
