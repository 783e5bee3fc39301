"""Jobs: their states, their value type, and their tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlmodel import Field

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_web.db.tables import WebTable


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


CONTENT = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class JobRow(WebTable, table=True):
    """A job; ``id`` is also the operation id of its changes.

    ``state`` is a ``JobState``, ``step`` one of the steps of its type. ``worker`` names its worker, which moves ``touched_at``
    on. ``remaining`` (seconds) was estimated at that time. ``request`` and ``outcome`` are JSON texts.
    """

    __tablename__ = "job"
    __table_args__ = (Index(None, "created_at"), Index(None, "state", "touched_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(32))
    kind: str = Field(sa_type=String(20))
    step: str = Field(sa_type=String(20))
    title: str = Field(sa_type=String(200))
    request: str = Field(sa_type=LONG_TEXT)
    size: int = Field(default=0, sa_type=ROW_ID)
    actor: str = Field(sa_type=String(80))
    state: str = Field(sa_type=String(20))
    worker: str = Field(default="", sa_type=String(32))
    takes: int = Field(default=0)
    cancel_requested: bool = Field(default=False)
    stage: str = Field(default="", sa_type=String(40))
    done_rows: int = Field(default=0)
    total_rows: int = Field(default=0)
    remaining: int | None = Field(default=None)
    outcome: str = Field(default="", sa_type=LONG_TEXT)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    touched_at: datetime = Field(sa_type=UtcMicroseconds)


class JobChunk(WebTable, table=True):
    """A chunk of a job's file, uploaded or generated, so that any instance can read it; deleted when no longer needed."""

    __tablename__ = "job_chunk"
    __table_args__ = (MYSQL_OPTIONS,)

    job_id: str = Field(primary_key=True, foreign_key="job.id", sa_type=String(32))
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=CONTENT)
