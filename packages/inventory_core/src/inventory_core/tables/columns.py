"""Column types that store the same value on every database."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine
from typing_extensions import override

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""Key that SQLite can number by itself and that does not run out on MySQL."""

LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


def text_of(length: int) -> String:
    """A text column of at most ``length`` characters."""
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
