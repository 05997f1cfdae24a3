"""Delivery: events on their way to destinations, seen and replayed. What is pushed is pushed by the worker."""
