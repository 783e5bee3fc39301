"""Long work: jobs in the database that any instance takes up, and that outlive each of them.

An area describes a kind of work (``kinds.WorkKind``), hands a job to the ``workshop``, and shows it. The rest is here: the
queue and its leases, progress and remaining time, cancelling, repetition after an instance died, and the chunks of files.
"""
