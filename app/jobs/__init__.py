"""The corridor: background work is claimed with a lease and a fence, handled, and settled by whoever claimed it.

One mechanism for all work. Knows jobs and queues, and nothing of what a job is about: assembly hands in the queues.
"""
