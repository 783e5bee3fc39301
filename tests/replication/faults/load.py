"""Threads that write rows of their own, one after another, and read each back."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from tests.replication.mysql.servers import eventually
from tests.replication.runtime.clusters import put, stored

WORKERS = range(1, 5)
ROWS_EACH = 100_000


class Load:
    """What the workers did, and what they met; look at it after `at_work`."""

    def __init__(self, cluster: ReplicatedCluster[Session], table: str) -> None:
        self.acknowledged: list[int] = []
        self.runs: Counter[int] = Counter()
        """By row: how often its work was run; more than once means a failed attempt."""
        self.failed: list[BaseException] = []
        self.unseen: list[int] = []
        self._cluster = cluster
        self._table = table
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(worker * ROWS_EACH,)) for worker in WORKERS]

    @contextmanager
    def at_work(self) -> Iterator["Load"]:
        for each in self._threads:
            each.start()
        try:
            yield self
        finally:
            self._stop.set()
            for each in self._threads:
                each.join()

    def wait_for(self, more: int) -> None:
        """Wait until this number of further rows is acknowledged."""
        goal = len(self.acknowledged) + more
        eventually(f"{more} more rows are written", lambda: self.failed or len(self.acknowledged) >= goal, 60)

    @property
    def failed_attempts(self) -> Counter[int]:
        """By worker."""
        attempts: Counter[int] = Counter()
        for row, runs in self.runs.items():
            attempts[row // ROWS_EACH] += runs - 1
        return attempts

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            number += 1
            try:
                with self._cluster.causal():
                    self._cluster.write(self._counted(number))
                    self.acknowledged.append(number)
                    with self._cluster.reader() as session:
                        if number not in stored(session, self._table):
                            self.unseen.append(number)
            except Exception as fault:  # noqa: BLE001 - what it is, the test looks at
                self.failed.append(fault)

    def _counted(self, number: int) -> Callable[[Session], int]:
        def work(session: Session) -> int:
            self.runs[number] += 1
            return put(self._table, number)(session)

        return work
