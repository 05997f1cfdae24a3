"""The job queue's runtime: a worker claims jobs with a lease and a fence, handles them, and settles its own.

The package knows jobs and queues, not what a job is about: assembly hands the queues in.
"""
