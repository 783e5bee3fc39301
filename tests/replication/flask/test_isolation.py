"""An instance that is cut off from all databases answers at once that nothing was changed, so that another one can be tried."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from inventory_replication import BreakerPolicy, ConnectionLimits, MonitorPolicy, ReplicatedCluster
from tests.replication.flask.instances import instance
from tests.replication.mysql.fault_proxy import HEALTHY, Fault, FaultProxy
from tests.replication.mysql.servers import ReplicaSet, eventually
from tests.replication.runtime.clusters import ClusterFor, placed

pytestmark = pytest.mark.mysql
BLACK_HOLE = Fault(blackhole=True)
MONITOR = MonitorPolicy(connect_timeout=0.5, read_timeout=0.5, breaker=BreakerPolicy())
AT_ONCE = 0.5
"""Seconds; far below any time-out of a connection."""


@pytest.fixture
def proxies(servers: ReplicaSet) -> Iterator[dict[str, FaultProxy]]:
    with ExitStack() as stack:
        yield {each.name: stack.enter_context(FaultProxy(each.address)) for each in servers.servers}


def cut_off(proxies: dict[str, FaultProxy]) -> None:
    """Swallow everything, as a network that drops packets does."""
    for each in proxies.values():
        each.accepting = False
        each.to_server = each.to_client = BLACK_HOLE


def cluster_has_read(cluster: ReplicatedCluster[Session]) -> dict[str, bool]:
    """Which servers have served a reader."""
    numbers = cluster.metrics().splitlines()
    reads = [line for line in numbers if line.startswith("inventory_replication_units_total") and "reader" in line]
    return {each.name: any(f'server="{each.name}"' in line for line in reads) for each in cluster.config.servers}


def timed(app: Flask, method: str) -> tuple[int, float]:
    began = monotonic()
    # Closed in the thread that opened it, as a server does: its causal context belongs to it.
    with closing(app.test_client().open("/" if method == "GET" else "/7", method=method)) as answer:
        return answer.status_code, monotonic() - began


def test_an_isolated_instance_answers_503_at_once(
    servers: ReplicaSet, cluster_for: ClusterFor, table: str, proxies: dict[str, FaultProxy]
) -> None:
    cluster = cluster_for(
        servers=placed(servers, **proxies), monitor=MONITOR, limits=ConnectionLimits(read_timeout=60.0)
    )
    app = instance(cluster, table)
    assert app.test_client().post("/1").status_code == 200
    # Pooled connections to every server would be waited on for as long as an answer may take.
    while not all(cluster_has_read(cluster).values()):
        assert timed(app, "GET")[0] == 200
        assert app.test_client().get("/exact").status_code == 200
    with ThreadPoolExecutor(4) as browsers:
        cut_off(proxies)
        under_way = [browsers.submit(timed, app, "GET") for _ in range(4)]
        eventually("it is noticed", lambda: cluster.status().mode == "down")
        first = [each.result(20) for each in under_way]
        later = [timed(app, method) for _ in range(10) for method in ("GET", "POST")]
    for each in proxies.values():
        each.accepting = True
        each.to_server = each.to_client = HEALTHY
        each.cut()

    assert {status for status, _ in first} == {503}
    assert max(seconds for _, seconds in first) < 10
    assert {status for status, _ in later} == {503}
    assert max(seconds for _, seconds in later) < AT_ONCE
    eventually("it serves again", lambda: timed(app, "GET")[0] == 200)
