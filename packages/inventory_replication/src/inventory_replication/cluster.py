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
    """Pools, monitor, counters and the units of work over them.

    Args:
        config: The cluster.
        session_class: Of every session.
        tls: One context for all connections.
        current: Where the causal context of the caller is found.
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
        """End the thread and close the connections."""
        self.monitor.close()
        self.pools.close()


class ReplicatedCluster(Generic[S]):
    """Units of work over one source and its replicas. Threads share it; a child process that is forked begins anew.

    Nothing is connected until the first unit of work, which also starts the one background thread of the process. `close` it at the
    end, or use it as a context manager.

    Args:
        config: The cluster.
        session_class: Of every session; `sqlalchemy.orm.Session` where it is left out.
        on_engine: Called with each SQLAlchemy engine that is made, before its first connection: for listeners of its events. They
            come after those of this package, which judge a statement as the program wrote it.

    Raises:
        ConfigurationError: The file with the certificates cannot be used.
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
        """Give a read-only session on one server, for the whole of a unit of work.

        Within `causal` it sees everything that the context carries: on a replica that has it, after a limited wait, or on the
        source. It never flushes; what would write or lock is refused before it is sent, and the database refuses the rest.

        Args:
            staleness_bound: A replica that may be further behind, in seconds, does not serve; ``None``: the policy's bound.
            allow_stale: While there is no source, take an older state than the context asks for.
            from_source: Read from the source, and nowhere else.

        Raises:
            NoEligibleReplica: No server serves within the bound.
            CausalTimeout: The reader's own change cannot be shown yet.
            LostWriteDetected: It never will; said once to each context.
            SourceUnavailable: The source was asked for and there is none.
            ReadOnlyUnitError: The session was used to write.
            ServerLost: The server was lost after the session was given.
        """
        context = self._current.get()
        if context is None:
            requirements = ReadRequirements(
                staleness_bound=staleness_bound, allow_stale=allow_stale, from_source=from_source
            )
        else:
            requirements = context.requirements(staleness_bound, allow_stale=allow_stale, from_source=from_source)
        with self._here().units.reader(requirements) as session:
            yield session

    def write(self, work: Callable[[S], T]) -> T:
        """Run ``work(session)`` on the source in one transaction and give its result.

        It is run again after a deadlock, a lock that was not given, a connection that was refused or lost before the commit, and
        a source that turned out to be read-only: where it is certain that nothing was stored. So it must have no effect outside
        of the session, and must not commit. What it raises rolls everything back and reaches the caller as it is.

        Raises:
            SourceUnavailable: No server accepts writes; nothing was changed.
            SplitBrainDetected: More than one does; nothing was changed.
            DatabaseBusy: It was tried as often as the policy says; nothing was changed.
            CommitUnknown: The connection was lost while the change was being stored: it may be stored or not.
            UnitOfWorkMisused: It was called inside a write of the same cluster, ``work`` committed, or the answer to the request is
                being sent already; nothing was changed.
        """
        return self._here().units.write(work)

    @contextmanager
    def causal(self, token_text: str | None = None) -> Iterator[CausalContext]:
        """Let the units of work of a block see one another's changes, and those that a token stands for.

        Blocks nest: the inner one begins with what the outer one carries and adds to it.

        Args:
            token_text: What the request, job or message brought, however hostile. One that is not believed sends the readers of the
                block to the source; ``rejected`` of the context says why.
        """
        with self._current.within(self._opened(token_text, self._current.get())) as context:
            yield context

    def status(self) -> ClusterStatus:
        """The cluster as this process sees it; the first call starts the monitor and waits for its first round."""
        process = self._here()
        process.monitor.table()
        return status.describe(self.config, process.monitor.view, process.load_tracker.loads, monotonic())

    def metrics(self) -> str:
        """The numbers of this process, as Prometheus text; names ``inventory_replication_*``."""
        process = self._here()
        return stats.render_metrics(
            process.counters.copy(), self.status(), process.monitor.view.table.snapshot.taken_at
        )

    def drain(self, name: str) -> None:
        """Give a server nothing new in this process; units of work that are on it end as they would.

        Raises:
            ConfigurationError: There is no server of that name.
        """
        self.config.server(name)
        self._here().monitor.drain(name, draining=True)

    def restore(self, name: str) -> None:
        """Take back `drain`.

        Raises:
            ConfigurationError: There is no server of that name.
        """
        self.config.server(name)
        self._here().monitor.drain(name, draining=False)

    def start(self) -> None:
        """Start the monitor now, so that the first unit of work need not wait for its first round. Call it after fork."""
        self._here().monitor.start()

    def close(self) -> None:
        """End the monitor and close the idle connections. The next unit of work begins anew."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def __enter__(self) -> "ReplicatedCluster[S]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _here(self) -> "ClusterProcess[S]":
        """What belongs to this process."""
        process = self._process
        if process is not None:
            return process
        with self._lock:
            if self._process is None:
                self._process = ClusterProcess(
                    self.config, self._session_class, self._tls, self._current, self._on_engine
                )
            return self._process

    def _forget_parent(self) -> None:
        """After fork: threads and locks are the parent's, and so is each connection, which knows that itself."""
        self._lock = threading.Lock()
        self._process = None

    def _opened(self, token_text: str | None, outer: CausalContext | None) -> CausalContext:
        reading = self._codec.decode(token_text, time())
        if token_text:
            self._here().counters.count_token(reading.verdict.value)
        token = reading.token or CausalToken(self.config.cluster_id)
        if reading.rejected:
            # What it stood for is not known: only the source is sure to have it.
            token = token.with_unknown_commit(time())
        if outer is not None:
            token = token.merged(outer.carried)
        return CausalContext(token, self._issue, reading.verdict.value if reading.rejected else None)

    def _issue(self, token: CausalToken) -> str:
        process = self._here()
        if token.gtids:
            snapshot = process.monitor.view.table.snapshot
            token = token.pruned(snapshot.prunable_by()).without_holes(snapshot.lineage.executed)
        text = self._codec.encode(token)
        process.counters.note_issued(len(text))
        return text


_CLUSTERS: "weakref.WeakSet[ReplicatedCluster[Any]]" = weakref.WeakSet()


def _forget_parents() -> None:
    for cluster in tuple(_CLUSTERS):
        cluster._forget_parent()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_forget_parents)
