"""The replicated set as the core wants its database: the same two methods, and the core's errors."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from inventory_core.errors import DatabaseBusy
from inventory_core.failures import refusal
from inventory_replication import ReadOnlyUnitError, ReplicatedCluster, ReplicationError
from inventory_web.errors import ClusterRefused

T = TypeVar("T")


class ReplicatedDatabase:
    """Reads on replicas, writes on the source; see ``inventory_replication``.

    Driver errors become those that a single database would raise, and errors of the cluster ``ClusterRefused``, so that
    whoever handles a refused storage need not know which of the two it is. Thread-safe; survives a fork.
    """

    def __init__(self, cluster: ReplicatedCluster[Session], url: URL) -> None:
        self.cluster = cluster
        self._url = url

    @contextmanager
    def reader(self) -> Iterator[Session]:
        """Give a session on one server that has what this request may expect to see."""
        with self._refusing(reading=True), self.cluster.reader() as session:
            yield session

    @contextmanager
    def source_reader(self) -> Iterator[Session]:
        """Give a read-only session on the source itself."""
        with self._refusing(reading=True), self.cluster.reader(source=True) as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction on the source; it may be run again."""
        with self._refusing():
            return self.cluster.write(work)

    def close(self) -> None:
        """End the monitor and close every connection."""
        self.cluster.close()

    def causal(self, token: str | None = None) -> AbstractContextManager[object]:
        """Follow what is written and read from here on, as one request; see ``ReplicatedCluster.causal``."""
        return self.cluster.causal(token)

    @contextmanager
    def _refusing(self, *, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except ReadOnlyUnitError:
            raise
        except ReplicationError as error:
            raise ClusterRefused(error) from error
        except PoolTimeout as error:
            raise DatabaseBusy(1) from error
        except DBAPIError as error:
            refused = refusal(error, self._url, reading=reading)
            if refused is None:
                raise
            raise refused from error
