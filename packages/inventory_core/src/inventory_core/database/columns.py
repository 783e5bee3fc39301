"""Define column types that store the same value on every database, and read the database's clock."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Integer, String, Text, TypeDecorator, select
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from typing_extensions import override

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""Key that SQLite can assign automatically and that does not run out on MySQL."""

LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")

# Binary comparison without padding, as on SQLite: keys, order and LIKE give the same results on both.
MYSQL_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_0900_bin",
}


def text_of(length: int) -> String:
    """Return a text column of at most ``length`` characters."""
    return String(length)


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware UTC time with microseconds; refuses a naive one. MySQL's plain DATETIME would drop the fraction."""

    impl = DateTime
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC).replace(tzinfo=None)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class database_now(FunctionElement[datetime]):  # noqa: N801 - used like a function
    """The current time in UTC with microseconds, as ``UtcMicroseconds`` stores it. SQLite has milliseconds only."""

    type = UtcMicroseconds()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite(_element: database_now, _compiler: Any, **_: Any) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


@compiles(database_now, "mysql")
def _mysql(_element: database_now, _compiler: Any, **_: Any) -> str:
    return "UTC_TIMESTAMP(6)"


@compiles(database_now, "postgresql")
def _postgresql(_element: database_now, _compiler: Any, **_: Any) -> str:
    return "(clock_timestamp() AT TIME ZONE 'UTC')"


def read_database_clock(connection: Connection) -> datetime:
    """Read the time now from the database; aware, in UTC."""
    now = connection.execute(select(database_now())).scalar_one()
    if not isinstance(now, datetime):
        raise TypeError(f"the database's clock says {now!r}")
    return now
