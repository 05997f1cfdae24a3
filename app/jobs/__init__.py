"""The job queue's runtime: a worker claims jobs with a lease and a fence, handles them, and settles what it claimed.

One mechanism for all work. Knows jobs and queues, and nothing of what a job is about: assembly hands in the queues.
"""
