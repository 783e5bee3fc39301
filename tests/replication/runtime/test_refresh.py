"""The monitor and the causal contexts of a cluster whose servers do not answer: no database is needed."""

import contextvars
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session
from typing_extensions import override

from inventory_replication import ClusterConfig, Credentials, MonitorPolicy, ReplicatedCluster, Server
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.monitor import Monitor
from inventory_replication.mysql.connection import CommittedGtids, GtidSource
from inventory_replication.stats import LoadTracker
from tests.replication.runtime.clusters import KEYS

ORIGIN = "10000000-0000-11f0-8000-000000000000"
NOWHERE = Server("source", "127.0.0.1", 9)


def config(poll_interval: float = 0.05) -> ClusterConfig:
    monitor = MonitorPolicy(poll_interval=poll_interval, connect_timeout=0.5, read_timeout=0.5)
    return ClusterConfig("tests", (NOWHERE,), "inventory", Credentials("app", "x"), KEYS, monitor=monitor, tls=None)


class SlowToClear(threading.Event):
    """Lets another thread call `refresh` exactly while the monitor begins a round."""

    monitor: Monitor
    answers: list[bool]

    def __init__(self) -> None:
        super().__init__()
        self.answers = []
        self.threads: list[threading.Thread] = []

    @override
    def clear(self) -> None:
        if len(self.threads) == 1:
            self._call()
            # The monitor's lock may keep the other thread out until this one goes on.
            self.threads[-1].join(0.3)
        elif not self.threads:
            self.threads.append(threading.current_thread())
        super().clear()

    def _call(self) -> None:
        called = threading.Thread(target=lambda: self.answers.append(self.monitor.refresh(5.0)))
        self.threads.append(called)
        called.start()


def test_a_refresh_is_not_missed_while_a_round_begins() -> None:
    made = config(poll_interval=60.0)
    monitor = Monitor(made, None, LoadTracker(["source"]).loads, lambda: None, lambda *_: None)
    wake = SlowToClear()
    wake.monitor = monitor
    monitor._wake = wake  # noqa: SLF001 - the only way to stop a thread between two statements
    monitor.start()
    assert monitor.refresh(10.0)
    monitor.wake()
    deadline = threading.Event()
    for _ in range(100):
        if wake.answers:
            break
        deadline.wait(0.1)
    monitor.close()

    assert wake.answers == [True]


@pytest.fixture
def cluster() -> Iterator[ReplicatedCluster[Session]]:
    with ReplicatedCluster(config()) as made:
        yield made


def test_a_reader_requires_what_its_context_holds_when_it_is_entered(cluster: ReplicatedCluster[Session]) -> None:
    with cluster.causal() as context:
        reader = cluster.reader()
        context.from_source = True
        # Without a source the refusal says what was asked for.
        with pytest.raises(Exception, match="REP-002"), reader:
            pass


def test_clusters_share_one_context_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The garbage collector does not see context variables, so their constructor is watched."""
    made: list[str] = []

    def make(name: str, **options: Any) -> contextvars.ContextVar[Any]:
        made.append(name)
        return contextvars.ContextVar(name, **options)

    for name, module in list(sys.modules.items()):
        if name.startswith("inventory_replication") and hasattr(module, "ContextVar"):
            monkeypatch.setattr(module, "ContextVar", make)
    for _ in range(2):
        with ReplicatedCluster(config()).causal():
            pass

    assert made == []


def test_contexts_of_two_clusters_are_kept_apart(cluster: ReplicatedCluster[Session]) -> None:
    other = ReplicatedCluster(config())
    with cluster.causal() as one, other.causal() as another:
        one.add_unknown()
        with cluster.causal() as inner:
            assert inner.carried.unknown
        assert not another.carried.unknown


def test_context_forgets_a_lost_write_and_so_does_the_context_around_it(cluster: ReplicatedCluster[Session]) -> None:
    kept, lost = GtidSet.of(ORIGIN, 1, 4), GtidSet.of(ORIGIN, 5, 6)
    with cluster.causal() as outer:
        outer.add(CommittedGtids((kept | lost).compact(), GtidSource.REPORTED))
        with cluster.causal() as inner:
            inner.give_up(lost)
            assert inner.carried.gtids == kept
        assert outer.carried.gtids == kept
