"""A reader that waits in vain is interrupted from another thread; other readers and writers are not."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from math import inf
from time import monotonic
from typing import Any

import pytest
from pymysql.err import OperationalError as DriverError
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from inventory_replication.config import ConnectionLimits
from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.mysql.diagnostics import classify_exception
from inventory_replication.mysql.engines import ServerEngine
from tests.replication.mysql.pools import EngineFor
from tests.replication.mysql.servers import BOUND, ReplicaSet, eventually

pytestmark = pytest.mark.mysql
PATIENT = ConnectionLimits(read_timeout=600.0)
SLEEP = text("SELECT SLEEP(120)")
ASK = text("SELECT CONNECTION_ID()")
Sleeping = Callable[[ServerEngine], "Future[Any]"]


@pytest.fixture
def sleeping(servers: ReplicaSet) -> Iterator[Sleeping]:
    """Start a statement that does not end, in a separate thread; return its result."""
    begun: list[int] = []

    def sleep(connection: Connection) -> Any:
        begun.append(connection.execute(ASK).scalar_one())
        return connection.execute(SLEEP).scalar_one()

    def sleeps() -> bool:
        question = "SELECT COUNT(*) FROM performance_schema.processlist WHERE ID = %s AND STATE = 'User sleep'"
        return bool(begun and servers.replica1.value(question, begun[-1]))

    with ThreadPoolExecutor() as threads:

        def begin(made: ServerEngine) -> "Future[Any]":
            def work() -> Any:
                with made.engine.connect() as connection:
                    return sleep(connection)

            begun.clear()
            future = threads.submit(work)
            eventually("it sleeps", sleeps)
            return future

        yield begin
        for each in begun:
            with suppress(DriverError):
                servers.replica1.query("KILL %s", each)


def connection_id(made: ServerEngine) -> int:
    with made.engine.connect() as connection:
        return int(connection.execute(ASK).scalar_one())


def test_a_wait_ends_with_the_error_of_a_lost_connection_which_does_not_come_back_to_the_pool(
    servers: ReplicaSet, engine_for: EngineFor, sleeping: Sleeping
) -> None:
    made = engine_for(servers.replica1, read_only=True, limits=PATIENT)
    before = connection_id(made)
    waiting = sleeping(made)

    assert made.guard.interrupt_readers(monotonic()) == 1

    fault = waiting.exception(BOUND)
    assert isinstance(fault, OperationalError)
    assert classify_exception(fault) is ErrorKind.LOST
    assert made.guard.interrupt_readers(inf) == 0, "nobody waits any more"
    assert connection_id(made) != before


def test_a_reader_that_received_something_since_is_not_interrupted(
    servers: ReplicaSet, engine_for: EngineFor, sleeping: Sleeping
) -> None:
    made = engine_for(servers.replica1, read_only=True, limits=PATIENT)
    early = monotonic()
    waiting = sleeping(made)

    assert made.guard.interrupt_readers(early) == 0

    assert not waiting.done()


def test_an_idle_connection_and_one_between_two_statements_are_left_in_peace(
    servers: ReplicaSet, engine_for: EngineFor
) -> None:
    made = engine_for(servers.replica1, read_only=True, limits=PATIENT)
    idle = connection_id(made)
    assert made.guard.interrupt_readers(inf) == 0
    with made.engine.connect() as connection:
        assert connection.execute(ASK).scalar_one() == idle
        assert made.guard.interrupt_readers(inf) == 0
        assert connection.execute(ASK).scalar_one() == idle


def test_a_writer_is_never_interrupted(servers: ReplicaSet, engine_for: EngineFor, sleeping: Sleeping) -> None:
    made = engine_for(servers.replica1, limits=PATIENT)
    waiting = sleeping(made)

    assert made.guard.interrupt_readers(inf) == 0

    assert not waiting.done()


def test_a_forked_process_does_not_interrupt_readers_of_its_parent(
    servers: ReplicaSet, engine_for: EngineFor, sleeping: Sleeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = engine_for(servers.replica1, read_only=True, limits=PATIENT)
    waiting = sleeping(made)
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: -1)
        assert made.guard.interrupt_readers(inf) == 0

    assert not waiting.done()
