"""The tables, and how their rows become values of the domain and back. Functions on an open connection.

Each function is part of a transaction that its caller begins and commits. None of them logs: a transaction may still
be rolled back, or run again.
"""
