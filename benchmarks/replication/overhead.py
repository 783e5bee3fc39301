"""The overhead of a unit of work over plain SQLAlchemy: token, decision and session."""

from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from time import perf_counter_ns
from unittest import mock

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from benchmarks.measuring import Bar, Figure, Table
from benchmarks.replication.servers import Stand
from benchmarks.replication.turns import batches, by_turns, percentile
from inventory_replication import CausalContext, GtidSet, MonitorPolicy, ReplicatedCluster
from inventory_replication.decisions.routing import ReadRequirements
from inventory_replication.monitor import Monitor
from inventory_replication.mysql.connection import TrackingConnection
from inventory_replication.mysql.engines import build_engine, tracked_connection
from inventory_replication.router import Router
from inventory_replication.stats import Counters, LoadTracker
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import APP, DATABASE
from tests.replication.runtime.clusters import notes, placed, put

ROWS = 1000
READS = 2000
WRITES = 600
COUNTED = 20
DECISIONS = 40_000
DECISION_BATCHES = 40
SAID_ONCE = MonitorPolicy(poll_interval=600.0)
"""A monitor that is inactive after its first round, so that all counted messages come from units of work."""


def tokens(stand: Stand) -> Table:
    """Measure the cost of the GTID of a commit, in messages and in time."""
    extra, unit, plain = _messages(stand)
    kept, signed = _token_times(stand)
    return Table(
        "Write token",
        "The GTID of a commit arrives with the response to COMMIT. A proxy between application and source counts messages. "
        "Floor: the same row through `Session.begin()` of a plain engine.",
        [
            Figure("messages that the token adds to a write", extra, "messages", None, Bar("most", 0)),
            Figure("messages of a write of one row, with its token", unit, "messages", plain, Bar("times", 1)),
            Figure("reading the GTID and keeping it for the reader", kept, "µs", None, Bar("most", 5)),
            Figure("signed text of the token, once in an answer", signed, "µs"),
        ],
    )


def decisions(stand: Stand) -> Table:
    """Measure the time to choose a server."""
    config = stand.config()
    load_tracker = LoadTracker(server.name for server in config.servers)
    monitor = Monitor(config, stand.servers.tls, load_tracker.loads, lambda: None, lambda _name, _since: None)
    router = Router(monitor, Counters(), config.retry)
    try:
        monitor.refresh(10.0)
        while len(monitor.table().replicas) < len(stand.servers.replicas):
            monitor.refresh(1.0)
        has = GtidSet.parse(stand.servers.source.executed())
        monitor.refresh(1.0)
        monitor.refresh(1.0)
        needs = {
            "reader without a token": lambda: router.reader(ReadRequirements(), []),
            "reader whose change both replicas have": lambda: router.reader(ReadRequirements(has), []),
            "writer": router.writer,
        }
        figures = [Figure(what, _p99(choose) * 1e6, "µs", None, Bar("most", 20)) for what, choose in needs.items()]
    finally:
        monitor.close()
    return Table(
        "Routing decision",
        f"99th percentile of {DECISIONS:,} choices of a server in one process, including the counter of the reason. It is the "
        f"median of {DECISION_BATCHES} batches, so that a single interruption counts once.",
        figures,
    )


def sessions(stand: Stand) -> Iterator[Table]:
    """Measure a point query and a write of one row, compared with plain SQLAlchemy."""
    servers = stand.servers
    with (
        servers.table() as table,
        stand.plain(servers.replica1) as to_replica,
        stand.plain(servers.source) as to_source,
        stand.cluster() as cluster,
    ):
        stand.fill(table, ROWS)
        # Both then read from the same server.
        cluster.drain("replica2")
        yield _reading(cluster, to_replica, table)
        yield _writing(cluster, to_source, table)


def _reading(cluster: ReplicatedCluster[Session], plain: Engine, table: str) -> Table:
    numbers = count()
    with cluster.causal() as written:
        cluster.write(put(table, ROWS))
    token = written.token

    def read(session: Session) -> object:
        rows = notes(table)
        return session.execute(select(rows.c.note).where(rows.c.id == next(numbers) * 7 % ROWS)).scalar_one()

    def ours() -> object:
        with cluster.reader() as session:
            return read(session)

    def with_token() -> object:
        with cluster.causal(token), cluster.reader() as session:
            return read(session)

    def floor() -> object:
        with Session(plain) as session:
            return read(session)

    taken = by_turns({"ours": ours, "with_token": with_token, "floor": floor}, READS)
    least = taken["floor"]
    return Table(
        "A reader's point query",
        f"Median of {READS:,} calls of each, alternating, on one replica: session, query by primary key, end of the session. "
        "Floor: `with Session(engine)` of a plain engine on the same server. *Work* is the processor time of the application "
        "alone.",
        [
            Figure("reader", taken["ours"].typical, "µs", least.typical, Bar("times", 1.1)),
            Figure("reader with a token", taken["with_token"].typical, "µs", least.typical, Bar("times", 1.1)),
            Figure("work of a reader", taken["ours"].work, "µs", least.work),
            Figure("work of a reader with a token", taken["with_token"].work, "µs", least.work),
        ],
    )


def _writing(cluster: ReplicatedCluster[Session], plain: Engine, table: str) -> Table:
    numbers = count(ROWS + 1)

    def work(session: Session) -> None:
        session.execute(insert(notes(table)).values(id=next(numbers), note="new"))

    def ours() -> str | None:
        with cluster.causal() as context:
            cluster.write(work)
        return context.token

    def floor() -> None:
        with Session(plain) as session, session.begin():
            work(session)

    taken = by_turns({"ours": ours, "floor": floor}, WRITES)
    return Table(
        "A write of one row",
        f"Median of {WRITES:,} calls of each, alternating, on the source: transaction, INSERT, COMMIT to disk; ours with the "
        "signed text of its token. Floor: `with Session(engine) as session, session.begin()` of a plain engine on the same server.",
        [
            Figure("write with its token", taken["ours"].typical, "µs", taken["floor"].typical, Bar("times", 1.1)),
            Figure("work of a write with its token", taken["ours"].work, "µs", taken["floor"].work),
        ],
    )


def _messages(stand: Stand) -> tuple[float, float, float]:
    """Measure what the token adds to a write: with and without it, and through a plain engine."""
    servers = stand.servers
    numbers = count()

    def plainly() -> None:
        with Session(engine) as session, session.begin():
            put(table, next(numbers))(session)

    def with_token() -> None:
        with cluster.causal() as context:
            cluster.write(put(table, next(numbers)))
        if context.token is None:
            raise RuntimeError("the write left no token")

    def without_token() -> None:
        cluster.write(put(table, next(numbers)))

    with (
        servers.table() as table,
        FaultProxy(servers.source.address) as proxy,
        stand.plain(servers.source, proxy.port) as engine,
        ReplicatedCluster(stand.config(servers=placed(servers, source=proxy), monitor=SAID_ONCE)) as cluster,
    ):
        return (
            _sent(proxy, with_token) - _sent(proxy, without_token),
            _sent(proxy, with_token),
            _sent(proxy, plainly),
        )


def _sent(proxy: FaultProxy, write: Callable[[], None]) -> float:
    write()
    with proxy.counting() as sent:
        for _ in range(COUNTED):
            write()
    return sent() / COUNTED


def _token_times(stand: Stand) -> tuple[float, float]:
    """Return the microseconds to process the GTIDs of a commit, and to create the signed token."""
    source = stand.servers.source
    reports: list[bytes] = []
    pool = build_engine(source.config, APP, database=DATABASE, read_only=False, tls=stand.servers.tls)
    config = stand.config(monitor=SAID_ONCE)
    with stand.servers.table() as table, ReplicatedCluster(config) as cluster, pool.engine.connect() as connection:
        # A commit after the last probe is on no known replica, so the token contains it.
        cluster.status()
        driver = tracked_connection(connection)
        with mock.patch.object(TrackingConnection, "_note_session_state", lambda _, tail: reports.append(tail)):
            put(table, 1)(Session(connection))
            connection.commit()

        def keep(context: CausalContext) -> None:
            driver._note_session_state(reports[-1])  # noqa: SLF001 - what is measured
            context.add(driver.pop_committed_gtids())

        def give(context: CausalContext) -> None:
            keep(context)
            if not context.token:
                raise RuntimeError("the commit left no token")

        with cluster.causal() as kept_only:
            kept = batches(lambda: keep(kept_only), 40)
        with cluster.causal() as given:
            signed = batches(lambda: give(given), 40) - kept
    pool.close()
    return kept, signed


def _p99(call: Callable[[], object]) -> float:
    """Return the 99th percentile in seconds."""
    found = []
    for _ in range(DECISION_BATCHES):
        seconds = []
        for _ in range(DECISIONS // DECISION_BATCHES):
            began = perf_counter_ns()
            call()
            seconds.append((perf_counter_ns() - began) / 1e9)
        found.append(percentile(seconds, 99))
    return median(found)
