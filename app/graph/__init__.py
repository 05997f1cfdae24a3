"""Meta's Graph API, over HTTP. Meta's token leaves for the configured host only, and nothing is retried here.

A repeated call belongs to the database, which knows what has been sent: see `app.messages`.
"""

from app.graph.client import GraphClient

__all__ = ["GraphClient"]
