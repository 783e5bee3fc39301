"""Waits for a GTID set on a server, always with a limit."""

from math import isfinite

from sqlalchemy import Connection

from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.mysql.engines import tracked_connection


def wait_for_gtids(connection: Connection, gtids: GtidSet, limit: float) -> bool:
    """Wait until the server has executed ``gtids``; read only if this returns ``True``.

    It must be the first statement on the connection: a transaction that has already read keeps seeing the older state. The wait
    itself takes no snapshot, even in a read-only session, so the caller continues in the transaction that it began. An empty set
    needs no wait and sends nothing.

    The server takes a limit of 0 for no limit, so it is refused here.

    Args:
        connection: To a replica, with no transaction begun.
        gtids: The transactions to wait for.
        limit: Seconds, above 0. The wait also ends, with ``False``, a little before the connection's read time-out.

    Raises:
        ValueError: The limit is not a number above 0.
        RuntimeError: A transaction has begun on the connection.
        sqlalchemy.exc.DBAPIError: The query failed.
    """
    if not (isfinite(limit) and limit > 0):
        raise ValueError(f"a wait needs a limit above 0 seconds, not {limit}")
    if connection.in_transaction():
        raise RuntimeError("wait for the GTIDs before the first statement: an open transaction may read an older state")
    if gtids.is_empty():
        return True
    answered_within = tracked_connection(connection).answer_limit
    if answered_within is not None:
        limit = min(limit, answered_within * 0.8)
    found = connection.exec_driver_sql(
        "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)",
        (gtids.compact(), limit),
        execution_options={"read_only": True},
    )
    return bool(found.scalar_one() == 0)


def executed_gtids(connection: Connection) -> GtidSet:
    """Return what the server has executed, in one round trip; like the wait it takes no snapshot.

    Raises:
        sqlalchemy.exc.DBAPIError: The query failed.
    """
    found = connection.exec_driver_sql("SELECT @@GLOBAL.gtid_executed", execution_options={"read_only": True})
    return GtidSet.parse(str(found.scalar_one()))
