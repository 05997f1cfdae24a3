"""Meta's Graph API, over HTTP. Meta's token leaves for the configured host only, and nothing is retried here.

A repeated call belongs to the database, which knows what has been sent: see `app.messages`.

Importing this package imports no HTTP library: a dry-run has none, because it has the fake in the client's place.
"""
