"""Jobs and their files."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlalchemy.dialects import mysql
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS
from inventory_web.tables import WebTable

CONTENT = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class JobRow(WebTable, table=True):
    """One piece of long work; ``id`` is also the operation id of what it does.

    ``state`` is one of ``states.State``, ``step`` one of the steps of its kind. While somebody works on it, ``worker`` says
    who, and ``touched_at`` moves on. ``remaining`` (seconds) was estimated at that time. ``request`` and ``outcome`` are JSON
    texts: what was asked, and what came of it.
    """

    __tablename__ = "job"
    __table_args__ = (Index(None, "created_at"), Index(None, "state", "touched_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=text_of(32))
    kind: str = Field(sa_type=text_of(20))
    step: str = Field(sa_type=text_of(20))
    title: str = Field(sa_type=text_of(200))
    request: str = Field(sa_type=LONG_TEXT)
    size: int = Field(default=0, sa_type=ROW_ID)
    actor: str = Field(sa_type=text_of(80))
    state: str = Field(sa_type=text_of(20))
    worker: str = Field(default="", sa_type=text_of(32))
    takes: int = Field(default=0)
    cancel_requested: bool = Field(default=False)
    stage: str = Field(default="", sa_type=text_of(40))
    done_rows: int = Field(default=0)
    total_rows: int = Field(default=0)
    remaining: int | None = Field(default=None)
    outcome: str = Field(default="", sa_type=LONG_TEXT)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    touched_at: datetime = Field(sa_type=UtcMicroseconds)


class JobChunk(WebTable, table=True):
    """A piece of a job's file, uploaded or made, so that any instance can read it; deleted when it is no longer needed."""

    __tablename__ = "job_chunk"
    __table_args__ = (MYSQL_OPTIONS,)

    job_id: str = Field(primary_key=True, foreign_key="job.id", sa_type=text_of(32))
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=CONTENT)
