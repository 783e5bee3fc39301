"""The database's clock, which all instances share; their own clocks may differ."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from inventory_core.tables.columns import UtcMicroseconds


class database_now(FunctionElement[datetime]):  # noqa: N801 - used like a function
    """The time now in UTC with microseconds, as ``UtcMicroseconds`` stores it. SQLite knows milliseconds only."""

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
