"""Jobs and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobState(StrEnum):
    """The state of a job: ``WAITING`` for a worker, ``WORKING`` with one, ``READY`` for a user's decision, or over."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


ACTIVE_STATES = (JobState.WAITING, JobState.WORKING)
REPEATABLE_STATES = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    ``size`` is that of its file in bytes, ``remaining`` a time in seconds (None: not known yet). ``interrupted``: its
    worker is silent. ``cancelling``: a user requested to cancel it. ``kept``: its file is not purged yet.
    """

    id: str
    kind: str
    step: str
    title: str
    request: Mapping[str, Any]
    actor: str
    state: JobState
    created_at: datetime
    size: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    remaining: float | None = None
    outcome: Mapping[str, Any] | None = None
    takes: int = 0
    interrupted: bool = False
    cancelling: bool = False
    kept: bool = True

    @property
    def under_way(self) -> bool:
        """Return whether it continues without a user, now or when a worker is free."""
        return self.state in ACTIVE_STATES

    @property
    def result(self) -> Mapping[str, Any]:
        """Return its outcome; empty while there is none."""
        return self.outcome or {}

    @property
    def percent(self) -> int | None:
        """Return the percentage of rows done; None if not known."""
        return min(100, self.done * 100 // self.total) if self.total else None
