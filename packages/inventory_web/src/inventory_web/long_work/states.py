"""What a job is, as pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a job stands: ``WAITING`` for a worker, ``WORKING`` with one, ``READY`` for a person's decision, or over."""

    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


UNDER_WAY = (State.WAITING, State.WORKING)
REPEATABLE = (State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work.

    ``size`` is that of its file in bytes, ``remaining`` a time in seconds (None: not known yet). ``interrupted``: its
    worker is silent. ``cancelling``: somebody asked to cancel it. ``kept``: its file is not cleared away yet.
    """

    id: str
    kind: str
    step: str
    title: str
    request: Mapping[str, Any]
    actor: str
    state: State
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
        """Whether it goes on by itself, now or as soon as a worker is free."""
        return self.state in UNDER_WAY

    @property
    def result(self) -> Mapping[str, Any]:
        """What came of it; empty while nothing did."""
        return self.outcome or {}

    @property
    def percent(self) -> int | None:
        """How much of the rows is done; None while that is not known."""
        return min(100, self.done * 100 // self.total) if self.total else None
