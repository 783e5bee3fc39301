"""The servers that readers get: right after a write, in a mix, and while a replica cannot be reached."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.measuring import Bar, Comparison, Figure, Table
from benchmarks.replication.servers import Stand
from benchmarks.replication.turns import by_turns, percentile
from inventory_replication import CausalContext, GtidSet, ReplicatedCluster
from inventory_replication.mysql.engines import ServerEngine, build_engine
from inventory_replication.mysql.waiting import wait_for_gtids
from tests.replication.mysql.servers import APP, DATABASE, MySQLServer
from tests.replication.runtime.clusters import notes, put

ROUNDS = 5
USERS = 60
PAUSE = 0.4
"""Seconds between a user's write and the next request, in which the replicas apply it and the monitor notices."""
MIXED_UNITS = 4_000
THREADS = 4
USERS_OF_A_THREAD = 5
WRITES_OF_TEN = 1
ROWS = 100
READS = 1_500

Store = Callable[[int], str]
"""Stores the row of that number, and returns the token for the reader."""
Look = Callable[[int, str], str]
"""Reads the row of that number with the token, and returns the role of the server."""


class Way(NamedTuple):
    """A method to make users see their own writes."""

    what: str
    store: Store
    look: Look


class Seen(NamedTuple):
    """Seconds of reads, and the servers that served them."""

    at_once: list[float]
    later: list[float]
    roles: Counter[str]


def causal_reads(stand: Stand) -> Comparison:
    """Measure a read right after the user's own write, and one in the next request, with three methods."""
    with ExitStack() as stack:
        table = stack.enter_context(stand.servers.table())
        cluster = stack.enter_context(stand.cluster())
        replicas = [stack.enter_context(_reading_pool(stand, replica)) for replica in stand.servers.replicas]
        ways = _ways(cluster, replicas, table)
        seen = {way.what: Seen([], [], Counter()) for way in ways}
        numbers = count()
        _round(ways, numbers, {way.what: Seen([], [], Counter()) for way in ways})
        for _ in range(ROUNDS):
            _round(ways, numbers, seen)
    rows = tuple((what, *_cells(each)) for what, each in seen.items())
    return Comparison(
        "A causal read",
        f"A user writes one row, reads it immediately, and again in a request {PAUSE} s later; {ROUNDS * USERS} users per method, "
        "alternating. *Always the source* reads from the source. *A wait on every read* reads from either replica after "
        "`WAIT_FOR_EXECUTED_GTID_SET`. *Tokens* are this package: no wait if the replica is known to have the change.",
        ("way", "at once: median", "99th percentile", "later: median", "99th percentile", "served by replicas"),
        rows,
    )


def mix(stand: Stand) -> Table:
    """Measure the share of reads that replicas serve, for users who see all their writes."""
    with stand.servers.table() as table, stand.cluster() as cluster:
        roles: Counter[str] = Counter()
        numbers = count()
        share = MIXED_UNITS // THREADS
        threads = [
            threading.Thread(target=_mixed, args=(cluster, table, numbers, random.Random(seed), share, roles))  # noqa: S311
            for seed in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if roles["stale"] or not roles["replica"]:
        raise RuntimeError(f"a user did not see an own write: {roles}")
    share_of_replicas = 100 * roles["replica"] / (roles["replica"] + roles["source"])
    return Table(
        "Nine reads to one write",
        f"{MIXED_UNITS:,} units of work of {THREADS * USERS_OF_A_THREAD} users in {THREADS} threads, without a pause, each with "
        "the token of the user's last write; every read is checked for that write.",
        [Figure("reads served by replicas", share_of_replicas, "%", None, Bar("least", 95))],
    )


def absence(stand: Stand) -> Table:
    """Measure the cost for readers of an unresponsive replica, after it was detected."""
    servers = stand.servers
    lost = servers.replica2
    without = (servers.source.config, servers.replica1.config)
    with (
        servers.table() as table,
        stand.cluster() as cluster,
        ReplicatedCluster(stand.config(servers=without)) as smaller,
    ):
        stand.fill(table, ROWS)
        _until(lambda: _state(smaller, servers.replica1) == "replica")
        with lost.frozen():
            _until(lambda: _state(cluster, lost) == "unreachable")
            taken = by_turns({"lost": _reading(cluster, table), "never": _reading(smaller, table)}, READS)
    absent, never = taken["lost"], taken["never"]
    return Table(
        "A replica that cannot be reached",
        f"{READS:,} readers while one of the two replicas is frozen (its port accepts connections but never answers), after "
        "the monitor has noticed. Floor: the same number, alternating, on a cluster that never had this replica.",
        [
            Figure("median", absent.typical, "µs", never.typical, Bar("times", 1.1)),
            Figure("99th percentile", percentile(absent.passed, 99) * 1e6, "µs", percentile(never.passed, 99) * 1e6),
            Figure("work", absent.work, "µs", never.work),
        ],
    )


def _ways(cluster: ReplicatedCluster[Session], replicas: list[ServerEngine], table: str) -> list[Way]:
    turn = count()

    def store(number: int) -> str:
        with cluster.causal() as context:
            cluster.write(put(table, number))
        return context.token or ""

    def store_and_tell(number: int) -> str:
        with cluster.causal() as context:
            cluster.write(put(table, number))
        return context.carried.gtids.compact()

    def by_token(number: int, token: str) -> str:
        with cluster.causal(token) as context, cluster.reader() as session:
            _check(session, table, number)
        return context.served[-1].role

    def from_source(number: int, _token: str) -> str:
        with cluster.reader(from_source=True) as session:
            _check(session, table, number)
        return "source"

    def after_waiting(number: int, gtids: str) -> str:
        with replicas[next(turn) % len(replicas)].engine.connect() as connection:
            if not wait_for_gtids(connection, GtidSet.parse(gtids), 5.0):
                raise RuntimeError("a replica does not follow")
            with Session(connection) as session:
                _check(session, table, number)
        return "replica"

    return [
        Way("tokens", store, by_token),
        Way("always the source", store, from_source),
        Way("a wait on every read", store_and_tell, after_waiting),
    ]


def _round(ways: Sequence[Way], numbers: Iterator[int], seen: Mapping[str, Seen]) -> None:
    """Let the users of every method write and read, and read again after a pause; the methods alternate by user."""
    brought: list[tuple[Way, int, str]] = []
    for way in [*ways] * USERS:
        number = next(numbers)
        brought.append((way, number, way.store(number)))
        _look(*brought[-1], seen[way.what].at_once, seen[way.what].roles)
    time.sleep(PAUSE)
    for way, number, token in brought:
        _look(way, number, token, seen[way.what].later, seen[way.what].roles)


def _look(way: Way, number: int, token: str, seconds: list[float], roles: Counter[str]) -> None:
    began = time.perf_counter()
    role = way.look(number, token)
    seconds.append(time.perf_counter() - began)
    roles[role] += 1


def _cells(seen: Seen) -> Iterator[str]:
    for seconds in (seen.at_once, seen.later):
        for percent in (50, 99):
            yield f"{percentile(seconds, percent) * 1e3:.2f} ms"
    yield f"{100 * seen.roles['replica'] / seen.roles.total():.0f} %"


def _check(session: Session, table: str, number: int) -> None:
    rows = notes(table)
    if session.execute(select(rows.c.id).where(rows.c.id == number)).scalar_one_or_none() is None:
        raise RuntimeError(f"a user did not see the own write {number}")


def _mixed(
    cluster: ReplicatedCluster[Session],
    table: str,
    numbers: Iterator[int],
    rng: random.Random,
    units: int,
    roles: Counter[str],
) -> None:
    """Run the users of one thread in random order."""
    tokens: list[str | None] = [None] * USERS_OF_A_THREAD
    written = [-1] * USERS_OF_A_THREAD
    for _ in range(units):
        user = rng.randrange(USERS_OF_A_THREAD)
        with cluster.causal(tokens[user]) as context:
            if rng.randrange(10) < WRITES_OF_TEN:
                written[user] = cluster.write(put(table, next(numbers)))
            else:
                roles[_read_by(context, cluster, table, written[user])] += 1
        tokens[user] = context.token


def _read_by(context: CausalContext, cluster: ReplicatedCluster[Session], table: str, number: int) -> str:
    rows = notes(table)
    with cluster.reader() as session:
        found = session.execute(select(rows.c.id).where(rows.c.id == number)).scalar_one_or_none()
    return context.served[-1].role if found == number or number < 0 else "stale"


def _reading(cluster: ReplicatedCluster[Session], table: str) -> Callable[[], object]:
    rows = notes(table)
    numbers = count()

    def read() -> object:
        with cluster.reader() as session:
            return session.execute(select(rows.c.note).where(rows.c.id == next(numbers) % ROWS)).scalar_one()

    return read


def _state(cluster: ReplicatedCluster[Session], server: MySQLServer) -> str:
    return next(each.state for each in cluster.status().servers if each.name == server.name)


def _until(true: Callable[[], bool], limit: float = 30.0) -> None:
    until = time.monotonic() + limit
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {limit:.0f} s")
        time.sleep(0.02)


@contextmanager
def _reading_pool(stand: Stand, server: MySQLServer) -> Iterator[ServerEngine]:
    pool = build_engine(server.config, APP, database=DATABASE, read_only=True, tls=stand.servers.tls)
    try:
        yield pool
    finally:
        pool.close()
