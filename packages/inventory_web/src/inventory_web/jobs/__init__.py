"""Jobs: long work in the database that any instance takes up, and that survives the end of each instance.

A blueprint registers an ``execution.JobType``, submits a job to the ``runner``, and shows it. This package does the rest: the
queue and its leases, progress and remaining time, cancelling, repetition after an instance died, and the files.
"""
