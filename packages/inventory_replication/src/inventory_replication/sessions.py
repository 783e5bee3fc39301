"""Units of work: the only module that begins and commits transactions."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from math import isfinite
from time import monotonic, sleep
from typing import Final, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from inventory_replication.config import ClusterConfig
from inventory_replication.context import CausalContext, CurrentContext, ServerUse
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.outcomes import CommitState
from inventory_replication.decisions.routing import ReadRequirements, RouteDecision
from inventory_replication.errors import LostWriteDetected, NoEligibleReplica, SourceUnavailable, UnitOfWorkMisused
from inventory_replication.failures import Failure, classify_read_failure, classify_write_failure
from inventory_replication.guards import raise_misuse, reading_class, work_running, writing_class
from inventory_replication.monitor import Monitor
from inventory_replication.mysql.connection import TrackingConnection
from inventory_replication.mysql.engines import tracked_connection
from inventory_replication.mysql.waiting import executed_gtids, wait_for_gtids
from inventory_replication.pools import Pools
from inventory_replication.router import Router
from inventory_replication.stats import Counters, LoadTracker

S = TypeVar("S", bound=Session)
T = TypeVar("T")


_WRITING: Final[ContextVar[frozenset[object]]] = ContextVar("writing_units", default=frozenset())


class _SourceChanged(Exception):
    """The source became another server while a write was running that has not committed yet."""


class _Lease(NamedTuple):
    server: str
    connection: Connection
    begun: float


@dataclass(slots=True)
class _Attempt:
    """One run of a write; ``driver`` is set once it has a connection."""

    server: str
    driver: TrackingConnection | None = None


def run_in_one_transaction(session: S, work: Callable[[S], T]) -> T:
    """Run ``work`` with the session; commit at its end, roll back on its error.

    Args:
        session: Of a class that `writing_class` returned, on an engine with `refuse_commits_in_work`.
        work: May use savepoints, but must not end the transaction.

    Raises:
        UnitOfWorkMisused: ``work`` called ``commit()``, ``rollback()`` or ``close()`` of the session or its connection.
    """
    with session:
        transaction = session.begin()
        connection = session.connection()
        begun = connection.get_transaction()
        try:
            with work_running(session, connection):
                result = work(session)
            ended = not transaction.is_active or begun is None or not begun.is_active
            if not ended:
                session.commit()
        except BaseException:
            # Only this ends the transaction of a refused commit; the pool would consider it ended.
            with suppress(DBAPIError):
                session.rollback()
            raise
        if ended:
            raise_misuse("rollback")
        return result


@contextmanager
def one_write_at_a_time(owner: object, context: CausalContext | None) -> Iterator[None]:
    """Run a block as the only write of ``owner`` in this thread, greenlet or task.

    Args:
        owner: The database.
        context: The causal context of the write.

    Raises:
        UnitOfWorkMisused: A write is already running, or the response is being sent.
    """
    if owner in _WRITING.get():
        raise UnitOfWorkMisused(
            "A write was begun inside a write. It would be a transaction of its own, stored even if the outer one is not. "
            "Nothing was changed by it: use the session of the outer write.",
            action="nested",
        )
    if context is not None and context.streaming:
        raise UnitOfWorkMisused(
            "A write was begun while the answer was being sent, so its token could not reach the client. Nothing was changed: "
            "write before the view returns, or after the answer in `Response.call_on_close`.",
            action="streaming",
        )
    mark = _WRITING.set(_WRITING.get() | {owner})
    try:
        yield
    finally:
        _WRITING.reset(mark)


class UnitsOfWork(Generic[S]):
    """Units of work of one process. Thread-safe.

    Args:
        config: Policies.
        session_class: The class of every session.
        current: Finds the causal context of the caller.
        pools: Of this process.
        monitor: Of this process.
        load_tracker: Of this process.
        counters: Of this process.
    """

    def __init__(
        self,
        config: ClusterConfig,
        session_class: type[S],
        current: CurrentContext,
        *,
        pools: Pools,
        monitor: Monitor,
        load_tracker: LoadTracker,
        counters: Counters,
    ) -> None:
        self._retry = config.retry
        self._refresh_timeout = config.monitor.connect_timeout + config.monitor.read_timeout
        self._writing = writing_class(session_class)
        self._reading = reading_class(session_class)
        self._current = current
        self._pools = pools
        self._monitor = monitor
        self._load_tracker = load_tracker
        self._counters = counters
        self._router = Router(monitor, counters, config.retry)

    @contextmanager
    def reader(self, requirements: ReadRequirements) -> Iterator[S]:
        """Yield a read-only session on one server; see `ReplicatedCluster.reader`."""
        context = self._current.get()
        lease = self._lease(requirements, context)
        server = lease.server
        # The connection may have waited for the token, which begins its transaction.
        session = self._reading(bind=lease.connection, autoflush=False, join_transaction_mode="control_fully")
        try:
            yield session
        except DBAPIError as fault:
            failure = classify_read_failure(fault, server, connecting=False)
            self._count_failure(failure)
            failure.raise_for_reader()
        else:
            self._monitor.note_success(server)
        finally:
            self._release(session, lease)

    def write(self, work: Callable[[S], T]) -> T:
        """Run ``work`` on the source; see `ReplicatedCluster.write`."""
        context = self._current.get()
        with one_write_at_a_time(self, context):
            return self._write(work, context)

    def _write(self, work: Callable[[S], T], context: CausalContext | None) -> T:
        failed = 0
        while True:
            decision = self._router.writer()
            attempt = _Attempt(decision.server or "")
            try:
                result = self._run(decision, work, attempt, context)
            except _SourceChanged:
                failed += 1
                self._counters.count_repeat("source_changed")
                if failed >= self._retry.attempts:
                    raise SourceUnavailable(
                        "The source changed while a change was being made. Nothing was changed: try again."
                    ) from None
            except (DBAPIError, PoolTimeout) as fault:
                failed += 1
                self._after_failure(classify_write_failure(fault, attempt.server, attempt.driver), failed)
            else:
                self._monitor.note_success(attempt.server)
                if context is not None:
                    context.note_stored()
                    context.served.append(ServerUse("source", attempt.server, decision.reason.value, 0.0))
                return result

    def _lease(self, requirements: ReadRequirements, context: CausalContext | None) -> _Lease:
        """Return a connection to the chosen server, which has what the reader must see."""
        unreachable: list[str] = []
        try:
            decision = self._router.reader(requirements, unreachable)
            while True:
                try:
                    lease = self._connect(decision, requirements, context)
                except (DBAPIError, PoolTimeout) as fault:
                    failure = classify_read_failure(fault, decision.server or "", connecting=True)
                    self._count_failure(failure)
                    if not failure.outcome.may_repeat:
                        failure.raise_for_reader()
                    unreachable.append(failure.server)
                    decision = self._choose_again(requirements, unreachable, failure)
                else:
                    if lease is not None:
                        return lease
                    decision = self._router.after_wait(requirements, decision, unreachable)
        except LostWriteDetected as lost:
            if context is not None:
                context.give_up(GtidSet.parse(lost.gtids))
            raise

    def _choose_again(self, requirements: ReadRequirements, unreachable: list[str], failure: Failure) -> RouteDecision:
        """Choose another server. If there is none, prefer to report a refused login."""
        try:
            return self._router.reader(requirements, unreachable)
        except NoEligibleReplica:
            failure.raise_if_refused()
            raise

    def _connect(
        self, decision: RouteDecision, requirements: ReadRequirements, context: CausalContext | None
    ) -> _Lease | None:
        """Connect and wait for the token if needed; return ``None`` if it did not arrive."""
        server = decision.server or ""
        begun = self._load_tracker.begin(server)
        connection = None
        lease = None
        try:
            connection = self._pools.reader(server).engine.connect()
            if decision.wait_for is None or self._wait_for(connection, server, decision.wait_for, decision.wait_limit):
                if context is not None:
                    if decision.is_source and (requirements.unknown or requirements.rejected):
                        context.resolve(executed_gtids(connection))
                    context.served.append(_server_use(decision, server))
                lease = _Lease(server, connection, begun)
        finally:
            if lease is None:
                if connection is not None:
                    connection.close()
                self._load_tracker.give_up(server)
        return lease

    def _wait_for(self, connection: Connection, server: str, gtids: GtidSet, limit: float) -> bool:
        began = monotonic()
        self._load_tracker.begin_wait(server)
        met = False
        try:
            met = wait_for_gtids(connection, gtids, limit)
        finally:
            self._load_tracker.end_wait(server)
            self._counters.count_wait(server, monotonic() - began, met=met)
        return met

    def _release(self, session: Session, lease: _Lease) -> None:
        """Return connection and load. An error now does not affect what was read."""
        try:
            session.close()
        except DBAPIError as fault:
            self._count_failure(classify_read_failure(fault, lease.server, connecting=False))
        finally:
            lease.connection.close()
            self._load_tracker.end(lease.server, lease.begun)

    def _run(
        self, decision: RouteDecision, work: Callable[[S], T], attempt: _Attempt, context: CausalContext | None
    ) -> T:
        """Run ``work`` once. Its commits are in the context before its connection returns to the pool."""

        def checked(session: S) -> T:
            result = work(session)
            if not self._router.is_current(decision):
                raise _SourceChanged
            return result

        begun = self._load_tracker.begin(attempt.server)
        try:
            with self._pools.writer(attempt.server).engine.connect() as connection:
                attempt.driver = tracked_connection(connection)
                try:
                    return run_in_one_transaction(self._writing(bind=connection), checked)
                except BaseException as fault:
                    if _in_doubt(fault, attempt.server, attempt.driver):
                        connection.invalidate()
                        self._counters.count_unknown_commit()
                        if context is not None:
                            context.add_unknown()
                    raise
                finally:
                    if context is not None:
                        context.add(attempt.driver.pop_committed_gtids())
        finally:
            self._load_tracker.end(attempt.server, begun)

    def _after_failure(self, failure: Failure, failed: int) -> None:
        """Prepare the next run of a write, or raise the error for its caller."""
        self._count_failure(failure)
        if not failure.outcome.may_repeat or failed >= self._retry.attempts:
            failure.raise_for_writer()
        self._counters.count_repeat(failure.label)
        if failure.outcome.refresh:
            self._monitor.refresh(self._refresh_timeout)
        sleep(self._retry.delay(failed, random.random()))  # noqa: S311

    def _count_failure(self, failure: Failure) -> None:
        self._counters.count_fault(failure.server, failure.label)
        if failure.outcome.breaker_failure:
            self._monitor.note_failure(failure.server)
        elif failure.outcome.refresh:
            self._monitor.wake()


def _server_use(decision: RouteDecision, server: str) -> ServerUse:
    staleness = decision.staleness if isfinite(decision.staleness) else None
    return ServerUse("source" if decision.is_source else "replica", server, decision.reason.value, staleness)


def _in_doubt(fault: BaseException, server: str, driver: TrackingConnection) -> bool:
    """Return whether something may have been stored without confirmation."""
    if isinstance(fault, DBAPIError):
        return classify_write_failure(fault, server, driver).outcome.commit is CommitState.UNKNOWN
    return driver.commit_sent and not driver.commit_confirmed
