"""The command moves the source while an application writes: the application does not notice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from sqlalchemy.orm import Session

from inventory_replication import ClusterConfig, MonitorPolicy, ReplicatedCluster, RetryPolicy, Server, TlsPolicy
from inventory_replication.provisioning.plan.desired_state import Role
from tests.replication.faults.load import Load
from tests.replication.faults.watching import QUIET
from tests.replication.mysql.servers import eventually
from tests.replication.provisioning.trial import ACCOUNTS, DATABASE, Trial, in_step
from tests.replication.runtime.clusters import KEYS, put, stored

pytestmark = pytest.mark.mysql
NAMES = ("one", "two", "three")
TABLE = "moved"
PATIENT = MonitorPolicy(poll_interval=0.05, connect_timeout=5.0, read_timeout=5.0)
LONG = RetryPolicy(switchover_timeout=30.0)
"""Other tests may keep this machine busy while the servers change their roles."""


@pytest.fixture
def trio(trial: Trial) -> Trial:
    """A source and two replicas with an empty table."""
    trial.provision(servers=NAMES)
    trial.one.query(f"CREATE TABLE {DATABASE}.{TABLE} (id INT PRIMARY KEY, note VARCHAR(40))")
    in_step(trial.one, trial.two, trial.three)
    return trial


@contextmanager
def application(trio: Trial, monitor: MonitorPolicy) -> Iterator[ReplicatedCluster[Session]]:
    config = ClusterConfig(
        cluster_id="trial",
        servers=tuple(Server(each.name, "127.0.0.1", each.port) for each in trio.servers),
        database=DATABASE,
        app=ACCOUNTS[Role.APP],
        monitor_account=ACCOUNTS[Role.MONITOR],
        tokens=KEYS,
        monitor=monitor,
        retry=LONG,
        tls=TlsPolicy(trio.ca_file, verify_host=True),
    )
    with ReplicatedCluster(config) as cluster:
        yield cluster


def move(trio: Trial, target: str) -> None:
    outcome = trio.run("switchover", target, servers=NAMES)
    assert outcome.code == 0, outcome


def test_a_switchover_costs_each_writer_at_most_one_attempt_and_no_error(trio: Trial) -> None:
    with application(trio, PATIENT) as cluster:
        load = Load(cluster, TABLE)
        with load.at_work():
            load.wait_for(30)
            move(trio, "two")
            load.wait_for(30)
        eventually("the new source is known", lambda: cluster.status().source == "two")
        with cluster.reader(from_source=True) as session:
            found = stored(session, TABLE)
        status = cluster.status()

    assert load.failed == []
    assert load.unseen == []
    assert found == sorted(load.acknowledged), "an acknowledged row was lost, or one is there that nobody was told of"
    assert max(load.failed_attempts.values()) <= 1, load.failed_attempts
    assert (status.epoch, status.lost_gtids) == (2, "")
    in_step(trio.two, trio.one, trio.three)
    for each in trio.servers:
        assert [row[0] for row in each.query(f"TABLE {DATABASE}.{TABLE} ORDER BY id")] == found


def test_of_all_living_connections_to_the_former_source_one_fails_and_no_second(trio: Trial) -> None:
    """They are alive, and a sign of life would not tell them from good ones; the monitor has seen nothing yet."""
    with application(trio, QUIET) as cluster:
        fill_pool(cluster, 5)
        move(trio, "two")
        runs = []
        for number in range(5):
            before = attempts(cluster)
            cluster.write(put(TABLE, number))
            runs.append(attempts(cluster) - before)
        with cluster.reader(from_source=True) as session:
            assert stored(session, TABLE) == list(range(5))

    assert runs == [1, 0, 0, 0, 0]
    assert len(trio.two.query(f"TABLE {DATABASE}.{TABLE}")) == 5


def fill_pool(cluster: ReplicatedCluster[Session], connections: int) -> None:
    """So many connections at once, by writes that wait for one another; all of them idle afterwards."""
    together = Barrier(connections, timeout=30)
    with ThreadPoolExecutor(connections) as threads:
        list(threads.map(lambda _: cluster.write(lambda _: together.wait()), range(connections)))


def attempts(cluster: ReplicatedCluster[Session]) -> int:
    """Units that were run again since the beginning."""
    lines = [line for line in cluster.metrics().splitlines() if line.startswith("inventory_replication_repeats_total")]
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines)
