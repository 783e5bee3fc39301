"""The tables of the web, with their own metadata, separate from those of the core and of the host application."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, NAMING_CONVENTION, ROW_ID, UtcMicroseconds

metadata = MetaData(naming_convention=NAMING_CONVENTION)


class WebTable(SQLModel, registry=registry(metadata=metadata)):
    """Base class of the web's tables. Options and column types come from ``inventory_core``."""

    metadata = metadata


class User(WebTable, table=True):
    """An account. ``provisional``: an administrator chose its password.

    ``language`` and ``theme`` are None until the user chooses; until then pages follow the browser.
    """

    __tablename__ = "inventory_web_user"
    __table_args__ = (UniqueConstraint("name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=String(80))
    name_key: str = Field(sa_type=String(191))
    role: str = Field(sa_type=String(20))
    password_hash: str = Field(sa_type=String(200))
    provisional: bool = Field(default=False)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
    language: str | None = Field(default=None, sa_type=String(10))
    theme: str | None = Field(default=None, sa_type=String(10))
    logged_in_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)


class UserSession(WebTable, table=True):
    """A session that has not ended. The browser has the token, this table only its SHA-256.

    ``agent`` is the beginning of the user agent string; ``kept`` a form that was typed before the login, to send after it.
    """

    __tablename__ = "inventory_web_user_session"
    __table_args__ = (Index(None, "user_id"), Index(None, "seen_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    user_id: int = Field(foreign_key="inventory_web_user.id", sa_type=ROW_ID)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    seen_at: datetime = Field(sa_type=UtcMicroseconds)
    address: str = Field(sa_type=String(64))
    agent: str = Field(default="", sa_type=String(200))
    kept: str | None = Field(default=None, sa_type=LONG_TEXT)


class SecondFactor(WebTable, table=True):
    """The encrypted secret of an account's one-time passwords; active since ``confirmed_at``.

    Until then it belongs to the session ``begun_by``. ``last_step`` is the newest time step whose code was accepted.
    ``fresh`` contains the recovery codes, encrypted, until the user has seen them.
    """

    __tablename__ = "inventory_web_second_factor"
    __table_args__ = (MYSQL_OPTIONS,)

    user_id: int = Field(
        primary_key=True, foreign_key="inventory_web_user.id", sa_type=ROW_ID, sa_column_kwargs={"autoincrement": False}
    )
    secret: str = Field(sa_type=String(255))
    begun_by: str = Field(sa_type=String(64))
    begun_at: datetime = Field(sa_type=UtcMicroseconds)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
    last_step: int = Field(default=0, sa_type=ROW_ID)
    fresh: str | None = Field(default=None, sa_type=LONG_TEXT)


class RecoveryCode(WebTable, table=True):
    """A recovery code, valid once; ``id`` is the SHA-256 of account and code."""

    __tablename__ = "inventory_web_recovery_code"
    __table_args__ = (Index(None, "user_id"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    user_id: int = Field(foreign_key="inventory_web_user.id", sa_type=ROW_ID)
    used_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)


class LoginThrottle(WebTable, table=True):
    """A counter of attempts in the window that ends at ``ends_at``; ``id`` is the SHA-256 of what is counted.

    ``next_at``: the time of the next allowed attempt, if attempts are delayed.
    """

    __tablename__ = "inventory_web_login_throttle"
    __table_args__ = (Index(None, "ends_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    attempts: int
    ends_at: datetime = Field(sa_type=UtcMicroseconds)
    next_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)


class AuditEvent(WebTable, table=True):
    """Who did what to whom, when and from where. ``details`` is a JSON object of texts and numbers.

    The ``…_key`` columns contain normalized names, for comparison without case.
    """

    __tablename__ = "inventory_web_audit_event"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "event", "id"),
        Index(None, "actor_key", "id"),
        Index(None, "subject_key", "id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    at: datetime = Field(sa_type=UtcMicroseconds)
    event: str = Field(sa_type=String(40))
    actor: str = Field(sa_type=String(80))
    actor_key: str = Field(sa_type=String(191))
    subject: str = Field(sa_type=String(200))
    subject_key: str = Field(sa_type=String(191))
    address: str = Field(sa_type=String(64))
    request_id: str = Field(sa_type=String(64))
    details: str = Field(sa_type=LONG_TEXT)


class SavedView(WebTable, table=True):
    """A filter and an order with a name that is unique per owner; all users can see ``shared`` ones.

    ``query`` is the query string of the list, as ``ListQuery.args`` writes it. At most one view per owner ``opens_first``.
    ``version`` grows with each change.
    """

    __tablename__ = "inventory_web_saved_view"
    __table_args__ = (UniqueConstraint("owner_id", "name_key"), Index(None, "shared", "name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    owner_id: int = Field(foreign_key="inventory_web_user.id", sa_type=ROW_ID)
    name: str = Field(sa_type=String(80))
    name_key: str = Field(sa_type=String(255))
    shared: bool = Field(default=False)
    opens_first: bool = Field(default=False)
    query: str = Field(sa_type=LONG_TEXT)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    changed_at: datetime = Field(sa_type=UtcMicroseconds)


CONTENT = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class JobRow(WebTable, table=True):
    """A job; ``id`` is also the operation id of its changes.

    ``state`` is a ``JobState``, ``step`` one of the steps of its type. ``worker`` names its worker, which moves ``touched_at``
    on. ``remaining`` (seconds) was estimated at that time. ``request`` and ``outcome`` are JSON texts.
    """

    __tablename__ = "inventory_web_job"
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
    attempts: int = Field(default=0)
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

    __tablename__ = "inventory_web_job_chunk"
    __table_args__ = (MYSQL_OPTIONS,)

    job_id: str = Field(primary_key=True, foreign_key="inventory_web_job.id", sa_type=String(32))
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_type=CONTENT)
