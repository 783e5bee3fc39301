"""Every wait of a pool and of its connections has a bound."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from inventory_replication.config import ConnectionLimits
from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.errors import ConfigurationError
from inventory_replication.mysql.diagnostics import classify_exception
from inventory_replication.mysql.engines import tracked_connection
from tests.replication.mysql.fault_proxy import HEALTHY, Ending, Fault, FaultProxy
from tests.replication.mysql.pools import EngineFor, insert, number
from tests.replication.mysql.servers import ReplicaSet

pytestmark = pytest.mark.mysql

SHORT = ConnectionLimits(connect_timeout=0.5, read_timeout=0.5, write_timeout=0.5, pool_timeout=0.5)
FAR_BELOW_ANY_HANG = 8.0
"""Seconds; the waits under test end after fractions of it, and without their bound not at all."""


def within_bounds(work: Callable[[], None]) -> BaseException:
    """What the work raised; that it ended at all is the point."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(FAR_BELOW_ANY_HANG)

    assert not thread.is_alive(), "an operation without a bound"
    assert raised, "nothing was raised"
    return raised[0]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(blackhole=True),
        Fault(after_bytes=0, ending=Ending.CLOSE),
        Fault(after_bytes=0, ending=Ending.RESET),
        Fault(after_bytes=3, ending=Ending.HALF_OPEN),
        Fault(bytes_per_second=4),
    ],
    ids=["black hole", "closed", "reset", "half-open", "slow bytes"],
)
@pytest.mark.parametrize("phase", ["connecting", "asking"])
def test_every_network_fault_ends_in_an_error_within_bounds(
    phase: str, fault: Fault, servers: ReplicaSet, proxy: FaultProxy, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, port=proxy.port, limits=SHORT)
    if phase == "asking":
        with made.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    proxy.to_client = fault

    def query() -> None:
        with made.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    error = within_bounds(query)

    assert isinstance(error, OperationalError)
    proxy.to_client = HEALTHY
    with made.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_server_that_accepts_and_never_greets_is_bounded_by_the_connect_time_out(
    servers: ReplicaSet, proxy: FaultProxy, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, port=proxy.port, limits=ConnectionLimits(connect_timeout=0.3, read_timeout=600))
    proxy.accepting = False

    error = within_bounds(lambda: made.engine.connect().close())

    assert isinstance(error, OperationalError)
    assert classify_exception(error) is ErrorKind.TIMED_OUT


def test_after_the_log_in_the_usual_time_outs_hold_again(servers: ReplicaSet, engine_for: EngineFor) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(connect_timeout=0.3, read_timeout=20))
    with made.engine.connect() as connection:
        assert tracked_connection(connection).answer_limit == 20
        assert connection.execute(text("SELECT SLEEP(0.8)")).scalar_one() == 0


def test_a_frozen_server_times_out(servers: ReplicaSet, engine_for: EngineFor) -> None:
    made = engine_for(servers.replica1, limits=SHORT)
    with servers.replica1.frozen():
        error = within_bounds(lambda: made.engine.connect().close())

    assert isinstance(error, OperationalError)


def test_a_lock_is_waited_for_shorter_than_an_answer(servers: ReplicaSet, table: str, engine_for: EngineFor) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(read_timeout=3))
    with made.engine.begin() as holder:
        holder.execute(insert(table))
        with made.engine.connect() as waiter, pytest.raises(OperationalError) as caught:
            waiter.execute(insert(table))

    assert number(caught.value) == 1205


def test_a_select_that_takes_too_long_is_ended_by_the_server_and_keeps_its_connection(
    servers: ReplicaSet, engine_for: EngineFor
) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(statement_timeout=0.1, pool_size=1))
    with made.engine.connect() as connection:
        before = tracked_connection(connection)
        with pytest.raises(OperationalError) as caught:
            connection.execute(text("SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b"))

        assert number(caught.value) == 3024
        assert tracked_connection(connection) is before


def test_one_slow_answer_does_not_empty_the_pool(servers: ReplicaSet, engine_for: EngineFor) -> None:
    made = engine_for(servers.source, limits=SHORT)
    with made.engine.connect() as first, made.engine.connect() as second:
        kept = tracked_connection(second)
        with pytest.raises(OperationalError) as caught:
            first.execute(text("SELECT SLEEP(3)"))
        assert classify_exception(caught.value) is ErrorKind.TIMED_OUT
    with made.engine.connect() as again:
        assert tracked_connection(again) is kept


def test_a_pool_that_is_used_up_refuses_after_its_time_out(servers: ReplicaSet, engine_for: EngineFor) -> None:
    made = engine_for(servers.source, limits=ConnectionLimits(pool_size=1, pool_timeout=0.2))
    with made.engine.connect(), made.engine.connect():
        error = within_bounds(lambda: made.engine.connect().close())

    assert isinstance(error, PoolTimeoutError)


@pytest.mark.parametrize(
    ("name", "value"), [("pool_size", 0), ("connect_timeout", 0), ("read_timeout", -1), ("statement_timeout", 0.0)]
)
def test_a_limit_that_would_mean_without_end_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        ConnectionLimits(**{name: value})  # type: ignore[arg-type]
