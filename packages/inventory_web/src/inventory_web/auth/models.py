"""Tables of accounts, sessions, second factors, and counters of failed attempts."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlmodel import Field

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_web.db.tables import WebTable


class User(WebTable, table=True):
    """An account. ``provisional``: an administrator chose its password.

    ``language`` and ``theme`` are None until the user chooses; until then pages follow the browser.
    """

    __tablename__ = "user"
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

    __tablename__ = "user_session"
    __table_args__ = (Index(None, "user_id"), Index(None, "seen_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    user_id: int = Field(foreign_key="user.id", sa_type=ROW_ID)
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

    __tablename__ = "second_factor"
    __table_args__ = (MYSQL_OPTIONS,)

    user_id: int = Field(
        primary_key=True, foreign_key="user.id", sa_type=ROW_ID, sa_column_kwargs={"autoincrement": False}
    )
    secret: str = Field(sa_type=String(255))
    begun_by: str = Field(sa_type=String(64))
    begun_at: datetime = Field(sa_type=UtcMicroseconds)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
    last_step: int = Field(default=0, sa_type=ROW_ID)
    fresh: str | None = Field(default=None, sa_type=LONG_TEXT)


class RecoveryCode(WebTable, table=True):
    """A recovery code, valid once; ``id`` is the SHA-256 of account and code."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index(None, "user_id"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    user_id: int = Field(foreign_key="user.id", sa_type=ROW_ID)
    used_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)


class LoginThrottle(WebTable, table=True):
    """A counter of attempts in the window that ends at ``ends_at``; ``id`` is the SHA-256 of what is counted.

    ``next_at``: the time of the next allowed attempt, if attempts are delayed.
    """

    __tablename__ = "login_throttle"
    __table_args__ = (Index(None, "ends_at"), MYSQL_OPTIONS)

    id: str = Field(primary_key=True, sa_type=String(64))
    attempts: int
    ends_at: datetime = Field(sa_type=UtcMicroseconds)
    next_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
