"""Passes any call of the Graph API on unchanged: a client presents a token of ours, and Meta gets its own.

Messages are not passed on: they belong to `app.messages`, which sends each at most once.
"""
