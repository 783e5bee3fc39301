"""A wait ends, and only one that found everything permits the read."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError

from inventory_replication.config import ConnectionLimits
from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.mysql.engines import ServerEngine, build_engine
from inventory_replication.mysql.waiting import wait_for_gtids
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import APP, DATABASE, ReplicaSet

pytestmark = pytest.mark.mysql

INSERT = "INSERT INTO {t} VALUES ({number}, 'a')"
COUNT = "SELECT COUNT(*) FROM {t}"


@pytest.fixture
def reader(servers: ReplicaSet) -> Iterator[ServerEngine]:
    """The pool of readers of the first replica."""
    made = build_engine(servers.replica1.config, APP, database=DATABASE, read_only=True, tls=servers.tls)
    yield made
    made.close()


@pytest.fixture
def stopped(servers: ReplicaSet, table: str) -> None:  # noqa: ARG001
    """From here on the first replica applies nothing; `servers` starts it again."""
    servers.replica1.query("STOP REPLICA SQL_THREAD")


def write(servers: ReplicaSet, table: str, number: int = 1) -> GtidSet:
    """One row on the source, and what was committed."""
    before = GtidSet.parse(servers.source.executed())
    servers.source.query(INSERT.format(t=table, number=number), database=DATABASE)
    return GtidSet.parse(servers.source.executed()) - before


def count(table: str) -> TextClause:
    return text(COUNT.format(t=table))


def test_what_was_waited_for_is_seen_in_the_same_transaction(
    servers: ReplicaSet, table: str, reader: ServerEngine
) -> None:
    for number in range(20):
        committed = write(servers, table, number)
        with reader.engine.connect() as connection:
            assert wait_for_gtids(connection, committed, 10)
            assert connection.execute(count(table)).scalar_one() == number + 1


@pytest.mark.usefixtures("stopped")
def test_a_wait_in_a_read_only_session_takes_no_snapshot(servers: ReplicaSet, table: str, reader: ServerEngine) -> None:
    """The rows arrive while the wait is under way, so a snapshot taken when it began would not hold them."""
    committed = write(servers, table)
    with reader.engine.connect() as connection:
        starting = threading.Timer(0.3, servers.replica1.query, ["START REPLICA SQL_THREAD"])
        starting.start()

        assert wait_for_gtids(connection, committed, 8)
        assert connection.execute(count(table)).scalar_one() == 1

        starting.join()
        assert connection.execute(text("SELECT @@transaction_read_only, @@autocommit")).one() == (1, 0)


@pytest.mark.usefixtures("stopped")
def test_a_wait_that_ends_without_success_does_not_permit_the_read(
    servers: ReplicaSet, table: str, reader: ServerEngine
) -> None:
    committed = write(servers, table)
    with reader.engine.connect() as connection:
        assert not wait_for_gtids(connection, committed, 0.05)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("limit", [1e-12, 1e-300, 0.0004])
def test_no_limit_is_so_short_that_the_server_waits_without_end(
    limit: float, servers: ReplicaSet, table: str, reader: ServerEngine
) -> None:
    committed = write(servers, table)
    with reader.engine.connect() as connection:
        assert not wait_for_gtids(connection, committed, limit)


@pytest.mark.usefixtures("stopped")
def test_a_wait_ends_before_the_read_timeout_of_the_connection(servers: ReplicaSet, table: str) -> None:
    committed = write(servers, table)
    made = build_engine(
        servers.replica1.config,
        APP,
        database=DATABASE,
        read_only=True,
        tls=servers.tls,
        limits=ConnectionLimits(read_timeout=0.5),
    )
    with made.engine.connect() as connection:
        assert not wait_for_gtids(connection, committed, 3600)
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    made.close()


@pytest.mark.parametrize("limit", [0, 0.0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(limit: float, servers: ReplicaSet, table: str, reader: ServerEngine) -> None:
    committed = write(servers, table)
    with reader.engine.connect() as connection, pytest.raises(ValueError, match="limit above 0"):
        wait_for_gtids(connection, committed, limit)


def test_nothing_to_wait_for_sends_nothing(servers: ReplicaSet) -> None:
    with FaultProxy(servers.replica1.address) as proxy:
        config = servers.replica1.config
        made = build_engine(
            type(config)(config.name, "127.0.0.1", proxy.port), APP, database=DATABASE, read_only=True, tls=servers.tls
        )
        with made.engine.connect() as connection, proxy.counting() as sent:
            assert wait_for_gtids(connection, EMPTY, 1)
            assert sent() == 0
        made.close()


def test_a_position_that_is_there_costs_one_round_trip(servers: ReplicaSet, table: str) -> None:
    committed = write(servers, table)
    servers.catch_up()
    with FaultProxy(servers.replica1.address) as proxy:
        config = servers.replica1.config
        made = build_engine(
            type(config)(config.name, "127.0.0.1", proxy.port), APP, database=DATABASE, read_only=True, tls=servers.tls
        )
        with made.engine.connect() as connection, proxy.counting() as sent:
            assert wait_for_gtids(connection, committed, 1)
            assert sent() == 1
        made.close()


def test_waiting_after_the_first_read_is_refused(servers: ReplicaSet, table: str, reader: ServerEngine) -> None:
    with reader.engine.connect() as connection:
        connection.execute(count(table))
        with pytest.raises(RuntimeError, match="before the first statement"):
            wait_for_gtids(connection, write(servers, table), 1)


def test_the_server_itself_would_allow_a_late_wait_and_go_on_showing_the_past(
    servers: ReplicaSet, table: str, reader: ServerEngine
) -> None:
    """Why a late wait is refused here."""
    with reader.engine.connect() as connection:
        assert connection.execute(count(table)).scalar_one() == 0
        committed = write(servers, table)
        done = connection.exec_driver_sql("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 10)", (committed.compact(),))

        assert done.scalar_one() == 0
        assert connection.execute(count(table)).scalar_one() == 0


def test_a_read_only_mark_for_one_transaction_outlives_the_wait(servers: ReplicaSet, table: str) -> None:
    """So a reader could be had from a writer's pool as well; the pool of readers needs no statement per unit."""
    committed = write(servers, table)
    made = build_engine(servers.source.config, APP, database=DATABASE, read_only=False, tls=servers.tls)
    with made.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        connection.exec_driver_sql("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 1)", (committed.compact(),))
        with pytest.raises(OperationalError) as caught:
            connection.exec_driver_sql(INSERT.format(t=table, number=2))
        assert caught.value.orig is not None
        assert caught.value.orig.args[0] == 1792
    made.close()


def test_a_set_with_holes_tags_and_foreign_origins_is_waited_for_as_a_set(
    servers: ReplicaSet, table: str, reader: ServerEngine
) -> None:
    connection = servers.source.connect(database=DATABASE)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION gtid_next = 'AUTOMATIC:app'")
        cursor.execute(INSERT.format(t=table, number=1))
    uuid = servers.source.uuid
    here = GtidSet.parse(servers.source.executed())
    foreign = GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
    with reader.engine.connect() as first:
        assert wait_for_gtids(first, here, 10)
    with reader.engine.connect() as second:
        assert wait_for_gtids(second, GtidSet.parse(f"{uuid}:1:3:app:1"), 10)
    with reader.engine.connect() as third:
        assert not wait_for_gtids(third, here | foreign, 0.05)
