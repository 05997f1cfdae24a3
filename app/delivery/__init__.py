"""Delivery: pushing events to destinations (in the worker), and listing and replaying deliveries (over HTTP)."""
