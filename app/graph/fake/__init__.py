"""A fake of Meta's side: Graph's calls with Meta's shapes, ids and errors, and the webhooks that follow them.

One implementation, two doors: `server.py` answers HTTP on an origin of its own, for tests; `client.py` is called in
process and has the methods of the real client, for dry-run. A live gateway never imports this package. It validates
on its own and shares no rule with our validation, so that one mistake cannot pass both.
"""
