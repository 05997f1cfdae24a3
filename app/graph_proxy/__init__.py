"""Any call of the Graph API, passed on as it is, with our bearer token in and Meta's out.

Messages are not passed on: they belong to `app.messages`, which sends each at most once.
"""
