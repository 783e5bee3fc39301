"""What a pool checks: whose connection it hands out, and what an error says about the others."""

import os
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, cast
from weakref import WeakSet

from pymysql.err import Error
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from inventory_replication.decisions.error_numbers import Meaning
from inventory_replication.decisions.outcomes import PoolEffect, pool_effect
from inventory_replication.mysql.connection import ReadOnlyConnection, TrackingConnection
from inventory_replication.mysql.faults import meaning_of_fault


class PoolGuard:
    """Listens to one engine: makes its connections, and lets none out that is stale.

    ``epoch`` is counted up when every connection made until then is to be dropped.
    """

    def __init__(self, server_name: str, *, read_only: bool, ping_after: float) -> None:
        self.epoch = 0
        self._server_name = server_name
        self._read_only = read_only
        self._ping_after = ping_after
        self._readers: WeakSet[ReadOnlyConnection] = WeakSet()
        self._lock = threading.Lock()
        self._make = cast(Callable[..., DBAPIConnection], ReadOnlyConnection if read_only else TrackingConnection)

    def listen_to(self, engine: Engine) -> None:
        """Install everything; once per engine. Pools that the engine makes later inherit it."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkout", self._check)
        event.listen(engine, "checkin", self._note_use)
        event.listen(engine, "handle_error", self._judge)

    def cut_off(self, since: float) -> int:
        """End the wait of every reader that has heard nothing since that monotonic time; any thread may call it.

        Each gets the error of a lost connection, which takes the connection out of the pool. A pool for writers has no readers.

        Returns:
            How many waits were ended.
        """
        with self._lock:
            readers = tuple(self._readers)
        return sum(each.cut_off(since) for each in readers)

    def _connect(
        self,
        dialect: Dialect,  # noqa: ARG002
        record: ConnectionPoolEntry,
        arguments: tuple[object, ...],
        named: dict[str, object],
    ) -> DBAPIConnection:
        record.info.update(epoch=self.epoch, process=os.getpid(), used=monotonic())
        made = self._make(*arguments, **named)
        if isinstance(made, ReadOnlyConnection):
            with self._lock:
                self._readers.add(made)
        return made

    def _check(self, driver: DBAPIConnection, record: ConnectionPoolEntry, proxied: PoolProxiedConnection) -> None:
        info = record.info
        if info["process"] != os.getpid():
            # Closing it here would say goodbye in the name of the process that owns it.
            cast(Any, record).dbapi_connection = cast(Any, proxied).dbapi_connection = None
            raise DisconnectionError("this connection belongs to another process")
        if info["epoch"] != self.epoch:
            raise DisconnectionError("this connection was made before the server changed its role")
        connection = cast(TrackingConnection, driver)
        connection.forget_commits()
        if connection.hung_up():
            raise DisconnectionError(f"{self._server_name} has closed an idle connection")
        try:
            if self._read_only and connection.tracking_fault is not None:
                with connection.cursor() as cursor:
                    cursor.execute("SET SESSION TRANSACTION READ ONLY")
            elif monotonic() - info["used"] > self._ping_after:
                connection.ping()
        except Error as fault:
            raise DisconnectionError(f"{self._server_name} did not answer on an idle connection") from fault

    def _note_use(self, driver: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:  # noqa: ARG002
        record.info["used"] = monotonic()

    def _judge(self, context: ExceptionContext) -> None:
        meaning = meaning_of_fault(context.original_exception)
        if meaning is None or (meaning is Meaning.READ_ONLY and self._read_only):
            return
        effect = pool_effect(meaning)
        if effect is PoolEffect.CONNECTION:
            # One slow statement says nothing about the other connections.
            context.invalidate_pool_on_disconnect = False
        elif effect is PoolEffect.SERVER:
            context.is_disconnect = True
