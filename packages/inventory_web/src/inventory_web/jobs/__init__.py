"""Jobs: long-running work in the database, which any instance can claim and which survives the end of an instance.

A blueprint registers an ``execution.JobType``, submits jobs to the ``runner``, and shows them. This package provides the rest:
queue and leases, progress and remaining time, cancelling, retries after an instance died, and files.
"""
