"""The replicated cluster, as an application holds it, and the part of it that belongs to one process."""

import os
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, time
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from inventory_replication import stats, status
from inventory_replication.cluster_state import log_interrupted
from inventory_replication.config import ClusterConfig
from inventory_replication.context import CausalContext, CurrentContext
from inventory_replication.decisions.routing import ReadRequirements
from inventory_replication.decisions.tokens import CausalToken, TokenCodec
from inventory_replication.errors import ConfigurationError
from inventory_replication.guards import refuse_writes_on
from inventory_replication.monitor import Monitor
from inventory_replication.mysql.tls import client_tls
from inventory_replication.pools import Pools
from inventory_replication.sessions import UnitsOfWork
from inventory_replication.stats import Counters, LoadTracker
from inventory_replication.status import ClusterStatus

S = TypeVar("S", bound=Session)
T = TypeVar("T")


class ClusterProcess(Generic[S]):
    """Pools, monitor, counters and units of work of one process. They do not survive a fork.

    Args:
        config: The cluster.
        session_class: The class of every session.
        tls: One context for all connections.
        current: Finds the causal context of the caller.
        on_engine: See `ReplicatedCluster`.
    """

    def __init__(
        self,
        config: ClusterConfig,
        session_class: type[S],
        tls: ssl.SSLContext | None,
        current: CurrentContext,
        on_engine: Callable[[Engine], None],
    ) -> None:
        self.counters = Counters()
        self.load_tracker = LoadTracker(server.name for server in config.servers)
        self.pools = Pools(config, tls, refuse_writes_on, on_engine)
        self.monitor = Monitor(
            config, tls, self.load_tracker.loads, self.pools.invalidate_writers, self._interrupt_readers
        )
        self.units = UnitsOfWork(
            config,
            session_class,
            current,
            pools=self.pools,
            monitor=self.monitor,
            load_tracker=self.load_tracker,
            counters=self.counters,
        )

    def _interrupt_readers(self, name: str, since: float) -> None:
        number = self.pools.interrupt_readers(name, since)
        if number:
            self.counters.count_interrupted(name, number)
            log_interrupted(name, number)

    def close(self) -> None:
        """Stop the monitor and close the connections."""
        self.monitor.close()
        self.pools.close()


class ReplicatedCluster(Generic[S]):
    """Units of work over one source and its replicas. Thread-safe; starts anew in a forked child process.

    Nothing connects before the first unit of work, which also starts the background thread of the process. Call `close` at the
    end, or use the cluster as a context manager.

    Args:
        config: The cluster.
        session_class: The class of every session; `sqlalchemy.orm.Session` by default.
        on_engine: Called with each new SQLAlchemy engine before its first connection, to add event listeners. They run after
            those of this package, which check a statement as the program wrote it.

    Raises:
        ConfigurationError: The CA file cannot be used.
    """

    @overload
    def __init__(
        self: "ReplicatedCluster[Session]", config: ClusterConfig, *, on_engine: Callable[[Engine], None] = ...
    ) -> None: ...
    @overload
    def __init__(
        self, config: ClusterConfig, session_class: type[S], *, on_engine: Callable[[Engine], None] = ...
    ) -> None: ...

    def __init__(
        self,
        config: ClusterConfig,
        session_class: type[Any] = Session,
        *,
        on_engine: Callable[[Engine], None] = lambda _: None,
    ) -> None:
        self.config = config
        self._session_class: type[S] = session_class
        self._on_engine = on_engine
        self._codec = TokenCodec(config.tokens, config.cluster_id)
        self._current = CurrentContext()
        self._lock = threading.Lock()
        self._process: ClusterProcess[S] | None = None
        try:
            self._tls = (
                None if config.tls is None else client_tls(config.tls.ca_file, verify_host=config.tls.verify_host)
            )
        except OSError as fault:
            raise ConfigurationError(f"TlsPolicy.ca_file cannot be used: {fault}.") from fault
        _CLUSTERS.add(self)

    @contextmanager
    def reader(
        self, *, staleness_bound: float | None = None, allow_stale: bool = False, from_source: bool = False
    ) -> Iterator[S]:
        """Yield a read-only session on one server for a whole unit of work.

        Within `causal` it sees everything that the context carries: on a replica that has it, after a limited wait, or on the
        source. It never flushes. Statements that write or lock are refused before they are sent, and the database refuses the
        rest.

        Args:
            staleness_bound: Seconds; a replica that may be further behind does not serve. ``None``: the bound of the policy.
            allow_stale: While there is no source, accept an older state than the context requires.
            from_source: Read from the source and nowhere else.

        Raises:
            NoEligibleReplica: No server can serve within the bound.
            CausalTimeout: The caller's own change cannot be shown yet.
            LostWriteDetected: It never will be. Raised once per context.
            SourceUnavailable: The source was requested and there is none.
            ReadOnlyUnitError: The session was used to write.
            ServerLost: The connection was lost after the session was yielded.
        """
        context = self._current.get()
        if context is None:
            requirements = ReadRequirements(
                staleness_bound=staleness_bound, allow_stale=allow_stale, from_source=from_source
            )
        else:
            requirements = context.requirements(staleness_bound, allow_stale=allow_stale, from_source=from_source)
        with self._current_process().units.reader(requirements) as session:
            yield session

    def write(self, work: Callable[[S], T]) -> T:
        """Run ``work(session)`` on the source in one transaction and return its result.

        Runs ``work`` again only if it is certain that nothing was stored: after a deadlock, a lock timeout, a connection that
        failed before the commit, or a source that turned out to be read-only. So ``work`` must have no effect outside of the
        session and must not commit. An exception from ``work`` rolls everything back and is raised unchanged.

        Raises:
            SourceUnavailable: No server accepts writes; nothing was changed.
            SplitBrainDetected: More than one server accepts writes; nothing was changed.
            DatabaseBusy: All attempts that the policy allows failed; nothing was changed.
            CommitUnknown: The connection was lost during the commit: the change may or may not be stored.
            UnitOfWorkMisused: Called inside another write of the same cluster, or while the response is being sent, or ``work``
                ended its transaction; nothing was changed.
        """
        return self._current_process().units.write(work)

    @contextmanager
    def causal(self, token_text: str | None = None) -> Iterator[CausalContext]:
        """Open a context in which units of work see each other's changes and those that a token represents.

        Contexts nest: the inner one starts with what the outer one carries and adds to it.

        Args:
            token_text: The token of the request, job or message; it may be hostile. If it is rejected, the readers of the block
                go to the source, and ``rejected`` of the context says why.
        """
        with self._current.within(self._open_context(token_text, self._current.get())) as context:
            yield context

    def status(self) -> ClusterStatus:
        """Return the cluster as this process sees it. The first call starts the monitor and waits for its first round."""
        process = self._current_process()
        process.monitor.table()
        return status.build_status(self.config, process.monitor.view, process.load_tracker.loads, monotonic())

    def metrics(self) -> str:
        """Return the metrics of this process, ``inventory_replication_*``, as Prometheus text."""
        process = self._current_process()
        return stats.render_metrics(
            process.counters.copy(), self.status(), process.monitor.view.table.snapshot.taken_at
        )

    def drain(self, name: str) -> None:
        """Assign no new units of work to a server in this process; running ones finish normally.

        Raises:
            ConfigurationError: There is no server of that name.
        """
        self.config.server(name)
        self._current_process().monitor.drain(name, draining=True)

    def restore(self, name: str) -> None:
        """Undo `drain`.

        Raises:
            ConfigurationError: There is no server of that name.
        """
        self.config.server(name)
        self._current_process().monitor.drain(name, draining=False)

    def start(self) -> None:
        """Start the monitor, so that the first unit of work need not wait for its first round. Call it after fork."""
        self._current_process().monitor.start()

    def close(self) -> None:
        """Stop the monitor and close idle connections. The next unit of work starts anew."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def __enter__(self) -> "ReplicatedCluster[S]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current_process(self) -> "ClusterProcess[S]":
        """Return what belongs to this process; create it if needed."""
        process = self._process
        if process is not None:
            return process
        with self._lock:
            if self._process is None:
                self._process = ClusterProcess(
                    self.config, self._session_class, self._tls, self._current, self._on_engine
                )
            return self._process

    def _reset_after_fork(self) -> None:
        """Drop threads and locks of the parent after a fork. Its connections recognise the fork themselves."""
        self._lock = threading.Lock()
        self._process = None

    def _open_context(self, token_text: str | None, outer: CausalContext | None) -> CausalContext:
        reading = self._codec.decode(token_text, time())
        if token_text:
            self._current_process().counters.count_token(reading.verdict.value)
        token = reading.token or CausalToken(self.config.cluster_id)
        if reading.rejected:
            # The content of the token is unknown: only the source is sure to have it.
            token = token.with_unknown_commit(time())
        if outer is not None:
            token = token.merged(outer.carried)
        return CausalContext(token, self._issue, reading.verdict.value if reading.rejected else None)

    def _issue(self, token: CausalToken) -> str:
        process = self._current_process()
        if token.gtids:
            snapshot = process.monitor.view.table.snapshot
            token = token.pruned(snapshot.prunable_by()).without_holes(snapshot.lineage.executed)
        text = self._codec.encode(token)
        process.counters.note_issued(len(text))
        return text


_CLUSTERS: "weakref.WeakSet[ReplicatedCluster[Any]]" = weakref.WeakSet()


def _reset_clusters_after_fork() -> None:
    for cluster in tuple(_CLUSTERS):
        cluster._reset_after_fork()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_reset_clusters_after_fork)
