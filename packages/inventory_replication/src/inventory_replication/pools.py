"""Connection pools of one process: one for writers and one for readers on each server, created on first use."""

import ssl
import threading
from collections.abc import Callable

from sqlalchemy import Engine

from inventory_replication.config import ClusterConfig
from inventory_replication.guards import refuse_commits_in_work
from inventory_replication.mysql.engines import ServerEngine, build_engine


class Pools:
    """Create it after fork. Thread-safe.

    Args:
        config: Servers, account and limits.
        tls: One context for all connections of the process.
        guard: Installs on an engine what readers must not do.
        on_engine: Called with each new engine, after ``guard``.
    """

    def __init__(
        self,
        config: ClusterConfig,
        tls: ssl.SSLContext | None,
        guard: Callable[[Engine], None],
        on_engine: Callable[[Engine], None],
    ) -> None:
        self._config = config
        self._tls = tls
        self._guard = guard
        self._on_engine = on_engine
        self._writers: dict[str, ServerEngine] = {}
        self._readers: dict[str, ServerEngine] = {}
        self._lock = threading.Lock()

    def writer(self, name: str) -> ServerEngine:
        """Return the pool for writes on a server."""
        return self._writers.get(name) or self._get_or_create(self._writers, name, read_only=False)

    def reader(self, name: str) -> ServerEngine:
        """Return the pool for read-only units on a server, source or replica; the database keeps its sessions read-only."""
        return self._readers.get(name) or self._get_or_create(self._readers, name, read_only=True)

    def invalidate_writers(self) -> None:
        """Drop every connection for writes, after the source became another server."""
        with self._lock:
            for each in self._writers.values():
                each.invalidate()

    def interrupt_readers(self, name: str, since: float) -> int:
        """Interrupt the readers that wait on an unresponsive server, never a writer; return how many. See `PoolGuard`."""
        made = self._readers.get(name)
        return made.guard.interrupt_readers(since) if made else 0

    def close(self) -> None:
        """Close all idle connections; those in use are closed when they are returned."""
        with self._lock:
            for each in (*self._writers.values(), *self._readers.values()):
                each.close()
            self._writers.clear()
            self._readers.clear()

    def _get_or_create(self, pools: dict[str, ServerEngine], name: str, *, read_only: bool) -> ServerEngine:
        config = self._config
        with self._lock:
            if name not in pools:
                made = build_engine(
                    config.server(name),
                    config.app,
                    database=config.database,
                    read_only=read_only,
                    tls=self._tls,
                    limits=config.limits,
                    isolation=config.isolation,
                )
                if read_only:
                    self._guard(made.engine)
                else:
                    refuse_commits_in_work(made.engine)
                self._on_engine(made.engine)
                pools[name] = made
            return pools[name]
