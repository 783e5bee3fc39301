"""Accounts, their logins, and the counters of failed attempts."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from inventory_core.tables.columns import ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS
from inventory_web.tables import WebTable


class User(WebTable, table=True):
    """An account. ``provisional`` says that its password was chosen by somebody else; ``language`` None follows the browser."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=text_of(80))
    name_key: str = Field(sa_type=text_of(191))
    role: str = Field(sa_type=text_of(20))
    password_hash: str = Field(sa_type=text_of(200))
    provisional: bool = Field(default=False)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
    language: str | None = Field(default=None, sa_type=text_of(10))


class UserSession(WebTable, table=True):
    """A login that has not ended. The browser holds the token, this table only its SHA-256."""

    __tablename__ = "user_session"
    __table_args__ = (Index(None, "user_id"), Index(None, "seen_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=text_of(64))
    user_id: int = Field(foreign_key="user.id", sa_type=ROW_ID)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    seen_at: datetime = Field(sa_type=UtcMicroseconds)
    address: str = Field(sa_type=text_of(64))


class LoginThrottle(WebTable, table=True):
    """How many attempts were counted in the window that ends at ``ends_at``; ``id`` is the SHA-256 of what is counted."""

    __tablename__ = "login_throttle"
    __table_args__ = (Index(None, "ends_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=text_of(64))
    attempts: int
    ends_at: datetime = Field(sa_type=UtcMicroseconds)
