"""Pools: read-only for readers, and without a connection from another time."""

import os
import sys
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from inventory_replication.config import ConnectionLimits
from inventory_replication.mysql.connection import ReadOnlyConnection
from inventory_replication.mysql.engines import tracked_connection
from tests.replication.mysql.fault_proxy import Fault, FaultProxy
from tests.replication.mysql.pools import EngineFor, insert, number
from tests.replication.mysql.servers import ReplicaSet, eventually

pytestmark = pytest.mark.mysql

SAME = "UPDATE {t} SET note = 'a'"


def test_sessions_are_in_utc_strict_and_tracked_and_keep_sqlalchemy_s_settings(
    servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source)
    with made.engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT @@time_zone, @@sql_mode LIKE '%STRICT_TRANS_TABLES%', @@character_set_client, @@autocommit, "
                "@@transaction_read_only, @@session_track_gtids, @@innodb_lock_wait_timeout"
            )
        ).one()
        assert tuple(row) == ("+00:00", 1, "utf8mb4", 0, 0, "OWN_GTID", 9)

        connection.execute(insert(table))
        same = connection.execute(text(SAME.format(t=table)))
        assert same.rowcount == 1, "CLIENT_FOUND_ROWS was lost"
        connection.commit()

        assert tracked_connection(connection).pop_committed_gtids().gtids.startswith(servers.source.uuid)


def test_commits_of_the_unit_before_are_not_handed_to_the_next(
    servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(pool_size=1))
    with made.engine.begin() as connection:
        connection.execute(insert(table))
        first = tracked_connection(connection)
    with made.engine.connect() as connection:
        assert tracked_connection(connection) is first
        assert first.pop_committed_gtids().gtids == ""


def test_a_connection_of_a_foreign_engine_is_refused_in_words() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(TypeError, match="build_engine"):
        tracked_connection(connection)
    engine.dispose()


@pytest.mark.parametrize(("role", "refusal"), [("source", 1792), ("replica1", 1290)])
def test_a_reader_cannot_write_anywhere(
    role: str, refusal: int, servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(getattr(servers, role), read_only=True)
    with made.engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(insert(table))

    assert number(caught.value) == refusal


@pytest.mark.parametrize(
    "attempt",
    [
        "SET SESSION TRANSACTION READ WRITE",
        "SET SESSION transaction_read_only = OFF",
        "SET @@SESSION.transaction_read_only = 0",
    ],
)
def test_a_reader_that_makes_its_session_writable_loses_its_connection(
    attempt: str, servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, read_only=True, limits=ConnectionLimits(pool_size=1))
    with made.engine.connect() as connection:
        with pytest.raises(OperationalError) as caught:
            connection.execute(text(attempt))
        assert number(caught.value) == 1792
        with pytest.raises(DBAPIError):
            connection.execute(insert(table))
    with made.engine.connect() as connection:
        assert connection.execute(text("SELECT @@transaction_read_only")).scalar_one() == 1


def test_a_transaction_that_is_made_writable_once_does_not_outlive_its_unit(
    servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, read_only=True, limits=ConnectionLimits(pool_size=1))
    with made.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
    with made.engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(insert(table))

    assert number(caught.value) == 1792


def test_a_replica_refuses_even_a_transaction_that_is_made_writable_once(
    servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    made = engine_for(servers.replica1, read_only=True)
    with made.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        with pytest.raises(OperationalError) as caught:
            connection.execute(insert(table))

    assert number(caught.value) == 1290


def test_without_session_tracking_readers_are_made_read_only_again_before_each_use(
    servers: ReplicaSet, table: str, engine_for: EngineFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadOnlyConnection, "_note_session_state", lambda _self, _tail: None)
    made = engine_for(servers.source, read_only=True, limits=ConnectionLimits(pool_size=1))
    with made.engine.connect() as connection:
        connection.execute(text("SET SESSION TRANSACTION READ WRITE"))
    with made.engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(insert(table))

    assert number(caught.value) == 1792


def test_invalidating_drops_idle_connections_and_those_in_use_when_they_come_back(
    servers: ReplicaSet, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source)
    with made.engine.connect() as in_use:
        with made.engine.connect() as idle:
            old = {tracked_connection(in_use), tracked_connection(idle)}
        made.invalidate()
        with made.engine.connect() as fresh:
            assert tracked_connection(fresh) not in old
        assert in_use.execute(text("SELECT 1")).scalar_one() == 1
    with made.engine.connect() as one, made.engine.connect() as two:
        assert not {tracked_connection(one), tracked_connection(two)} & old
    assert made.epoch == 1


def test_a_waiting_client_gets_no_connection_from_before_the_invalidation(
    servers: ReplicaSet, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(pool_size=1, pool_timeout=20))
    got: list[int] = []

    def wait() -> None:
        with made.engine.connect() as connection:
            got.append(connection.execute(text("SELECT CONNECTION_ID()")).scalar_one())

    one, two = made.engine.connect(), made.engine.connect()
    old = {connection.execute(text("SELECT CONNECTION_ID()")).scalar_one() for connection in (one, two)}
    old_pool = made.engine.pool
    waiting = threading.Thread(target=wait)
    waiting.start()
    eventually("the thread waits at the old pool", lambda: inside_the_wait(waiting))
    made.invalidate()
    assert made.engine.pool is not old_pool
    one.close()
    two.close()
    waiting.join(20)

    assert got
    assert not set(got) & old


def inside_the_wait(thread: threading.Thread) -> bool:
    """Return whether the thread waits in SQLAlchemy's queue for a connection."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001
    names = set()
    while frame is not None:
        names.add((frame.f_code.co_name, frame.f_globals.get("__name__")))
        frame = frame.f_back
    return ("get", "sqlalchemy.util.queue") in names and ("wait", "threading") in names


def test_invalidating_a_dead_server_neither_sends_nor_waits(
    servers: ReplicaSet, proxy: FaultProxy, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, port=proxy.port)
    with made.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    proxy.to_server = proxy.to_client = Fault(blackhole=True)
    with proxy.counting() as sent:
        made.invalidate()

        assert sent() == 0


def test_a_source_that_became_read_only_empties_the_writers_pool_at_once(
    servers: ReplicaSet, table: str, engine_for: EngineFor
) -> None:
    """A ping would not notice: the server lives and answers."""
    made = engine_for(servers.source)
    with made.engine.connect() as one, made.engine.connect() as two:
        old = {tracked_connection(one), tracked_connection(two)}
    servers.source.query("SET GLOBAL super_read_only = ON")
    try:
        with made.engine.connect() as connection, pytest.raises(OperationalError) as caught:
            connection.execute(insert(table))
        assert number(caught.value) == 1290
        assert caught.value.connection_invalidated
    finally:
        servers.source.query("SET GLOBAL super_read_only = OFF")
        servers.source.query("SET GLOBAL read_only = OFF")
    with made.engine.connect() as one, made.engine.connect() as two:
        assert not {tracked_connection(one), tracked_connection(two)} & old


def test_an_idle_connection_is_probed_and_a_busy_one_is_not(
    servers: ReplicaSet, proxy: FaultProxy, engine_for: EngineFor
) -> None:
    busy = engine_for(servers.source, port=proxy.port)
    with busy.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    with proxy.counting() as sent, busy.engine.connect():
        assert sent() == 0

    idle = engine_for(servers.source, port=proxy.port, limits=ConnectionLimits(ping_after=0.0))
    with idle.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    proxy.cut()
    with idle.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_of_the_parent_process_is_left_alone_by_its_child(
    servers: ReplicaSet, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(pool_size=1))
    with made.engine.connect() as connection:
        parents = connection.execute(text("SELECT CONNECTION_ID()")).scalar_one()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with made.engine.connect() as connection:
                own = connection.execute(text("SELECT CONNECTION_ID()")).scalar_one()
            made.close()
            os.write(writer, str(own).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        childs = answer.read()
    os.waitpid(child, 0)

    assert childs.isdigit()
    assert int(childs) != parents
    with made.engine.connect() as connection:
        assert connection.execute(text("SELECT CONNECTION_ID()")).scalar_one() == parents


def test_one_tls_context_is_shared_by_all_connections(servers: ReplicaSet, engine_for: EngineFor) -> None:
    made = engine_for(servers.source)
    with made.engine.connect() as one, made.engine.connect() as two:
        contexts = {id(vars(tracked_connection(each))["ctx"]) for each in (one, two)}
        ciphers = {each.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1] for each in (one, two)}

    assert contexts == {id(servers.tls)}
    assert all(ciphers)
