"""The causal context of a request or job: what it has written and must see."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import time
from typing import Final, NamedTuple

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.routing import ReadRequirements
from inventory_replication.decisions.tokens import CausalToken
from inventory_replication.mysql.connection import CommittedGtids, GtidSource


class ServerUse(NamedTuple):
    """One unit of work and the server that it used.

    Args:
        role: ``source`` or ``replica``.
        server: The name of the server.
        reason: The value of a `RouteReason`.
        staleness_seconds: Upper bound at the time of the choice; 0 on the source, ``None`` if nothing was proved.
    """

    role: str
    server: str
    reason: str
    staleness_seconds: float | None


class CausalContext:
    """The context of one ``with cluster.causal(…)`` block. Threads that the block starts may share it.

    ``from_source``, ``staleness_bound`` (seconds) and ``allow_stale`` may be set; they apply to each reader that does not say
    otherwise.

    ``streaming`` is set while the response is being sent: a write would come too late for the token in its headers, so it is
    refused.

    Args:
        token: The token that was received.
        issue: Signs a token and returns its text.
        rejected: Why the received token was rejected; the reader is then sent to the source.
    """

    def __init__(self, token: CausalToken, issue: Callable[[CausalToken], str], rejected: str | None = None) -> None:
        self.rejected = rejected
        self.from_source = False
        self.staleness_bound: float | None = None
        self.allow_stale = False
        self.streaming = False
        self.stored = False
        self.given_up = EMPTY
        self._issue = issue
        self.served: list[ServerUse] = []
        self._brought = token
        self._carried = token
        self._unread: list[str] = []
        self._distrusted = rejected is not None
        self._lock = threading.Lock()

    @property
    def token(self) -> str | None:
        """The token for the next request or job of the same user, safe in a URL, header or cookie; ``None``: none needed."""
        return self._issue(self.carried) or None

    @property
    def carried(self) -> CausalToken:
        """Everything that the next unit of work must see."""
        with self._lock:
            return self._read()

    @property
    def has_changed(self) -> bool:
        """Whether the next request or job needs another token than this one received."""
        carried = self.carried
        return carried.unknown != self._brought.unknown or carried.gtids != self._brought.gtids

    def requirements(self, staleness_bound: float | None, *, allow_stale: bool, from_source: bool) -> ReadRequirements:
        """Return what a reader of this context requires."""
        with self._lock:
            token = self._read()
            return ReadRequirements(
                token.gtids,
                token.unknown,
                self._distrusted,
                self.staleness_bound if staleness_bound is None else staleness_bound,
                allow_stale or self.allow_stale,
                from_source or self.from_source,
            )

    def add(self, commits: CommittedGtids) -> None:
        """Add committed transactions."""
        with self._lock:
            if commits.gtids:
                # Parsed on demand: a request that only writes need not pay for it between its units.
                self._unread.append(commits.gtids)
            if commits.gtid_source is GtidSource.UNKNOWN:
                self._carried = self._carried.with_unknown_commit(time())

    def add_unknown(self) -> None:
        """Note a possible commit whose GTID is unknown."""
        with self._lock:
            self._carried = self._carried.with_unknown_commit(time())
        self.stored = True

    def note_stored(self) -> None:
        """Note that a write succeeded: from now on an error does not mean that nothing was changed."""
        self.stored = True

    def resolve(self, executed: GtidSet) -> None:
        """Replace unknown commits by what the source reported after them, which replicas can be checked for."""
        with self._lock:
            self._carried = self._carried.resolved(executed)
            self._distrusted = False

    def give_up(self, lost: GtidSet) -> None:
        """Drop transactions that were lost with a former source, after the loss was reported."""
        with self._lock:
            self.given_up |= lost
            self._carried = self._read().without(lost)

    def join(self, inner: "CausalContext") -> None:
        """Take over what an inner block did."""
        carried = inner.carried
        with self._lock:
            self.given_up |= inner.given_up
            self._carried = self._read().merged(carried).without(self.given_up)
            self.served += inner.served
            self.stored |= inner.stored

    def _read(self) -> CausalToken:
        if self._unread:
            unread, self._unread = self._unread, []
            self._carried = self._carried.with_commit(GtidSet.parse(",".join(unread)), time())
        return self._carried


class CurrentContext:
    """Finds the open causal context of one cluster in this thread, greenlet or task.

    All clusters share one `ContextVar`: Python never frees a variable that was once set, so a cluster must not have its own.
    """

    __slots__ = ()

    def get(self) -> CausalContext | None:
        """Return the innermost open context, if there is one."""
        return _OPEN.get().get(self)

    @contextmanager
    def within(self, context: CausalContext) -> Iterator[CausalContext]:
        """Make a context the current one for a block, and merge it into the outer context at the end."""
        outer = self.get()
        if outer is not None:
            context.streaming = outer.streaming
        mark = _OPEN.set({**_OPEN.get(), self: context})
        try:
            yield context
        finally:
            _OPEN.reset(mark)
            if outer is not None:
                outer.join(context)


_OPEN: Final[ContextVar[Mapping[CurrentContext, CausalContext]]] = ContextVar("causal_contexts", default={})  # noqa: B039
