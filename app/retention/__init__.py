"""Retention: delete what has expired, and erase a customer who asks for it."""
