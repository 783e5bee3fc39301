"""Imports: what was uploaded, how far it is, and what came of it."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlalchemy.dialects import mysql
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS
from inventory_web.tables import WebTable

CONTENT = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class ImportJob(WebTable, table=True):
    """An upload and its import; ``id`` is also the operation id of the import.

    ``state`` is one of ``jobs.State``. ``touched_at`` moves on while an instance works on it. ``outcome`` is a JSON text: the
    preview, the result, or the refusal.
    """

    __tablename__ = "import_job"
    __table_args__ = (Index(None, "created_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=text_of(32))
    filename: str = Field(sa_type=text_of(200))
    sheet: str = Field(default="", sa_type=text_of(100))
    size: int = Field(sa_type=ROW_ID)
    actor: str = Field(sa_type=text_of(80))
    state: str = Field(sa_type=text_of(20))
    stage: str = Field(default="", sa_type=text_of(40))
    done_rows: int = Field(default=0)
    total_rows: int = Field(default=0)
    outcome: str = Field(default="", sa_type=LONG_TEXT)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    touched_at: datetime = Field(sa_type=UtcMicroseconds)


class ImportChunk(WebTable, table=True):
    """A piece of an uploaded file, so that any instance can go on with it; deleted when it is no longer needed."""

    __tablename__ = "import_chunk"
    __table_args__ = (MYSQL_OPTIONS,)

    job_id: str = Field(primary_key=True, foreign_key="import_job.id", sa_type=text_of(32))
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=CONTENT)
