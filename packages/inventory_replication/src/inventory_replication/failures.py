"""From what a unit of work raised to what is done about it and what the caller is told."""

from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.decisions.outcomes import (
    CommitState,
    Outcome,
    Phase,
    classify_read,
    classify_write,
)
from inventory_replication.errors import (
    AccessRefused,
    CommitUnknown,
    DatabaseBusy,
    ReadOnlyUnitError,
    ReplicationError,
    ServerLost,
    SourceUnavailable,
)
from inventory_replication.mysql.connection import TrackingConnection
from inventory_replication.mysql.diagnostics import classify_exception

Fault = DBAPIError | PoolTimeout
POOL_EXHAUSTED = "pool_exhausted"
_BUSY = {ErrorKind.CONFLICT, ErrorKind.LOCK_WAIT, ErrorKind.NO_ROOM, ErrorKind.TIMED_OUT}
_LOST = {ErrorKind.UNREACHABLE, ErrorKind.LOST, ErrorKind.TIMED_OUT, ErrorKind.SHUTTING_DOWN, ErrorKind.OFFLINE}
_LET_IN_BY_NOBODY = {ErrorKind.ACCESS, ErrorKind.TLS}
_REFUSED = {ErrorKind.READ_ONLY, ErrorKind.READ_ONLY_UNIT}

_NOTHING_KNOWN = Outcome(CommitState.NOT_COMMITTED, may_repeat=False, breaker_failure=False, refresh=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault of database or driver, judged.

    Args:
        fault: What was raised.
        kind: What it says; ``None`` where the pool had no connection to give.
        outcome: What follows.
        server: Where.
        phase: How far the unit had come.
    """

    fault: Fault
    kind: ErrorKind | None
    outcome: Outcome
    server: str
    phase: Phase

    @property
    def label(self) -> str:
        """For counting."""
        return self.kind.value if self.kind else POOL_EXHAUSTED

    def raise_for_writer(self) -> NoReturn:
        """Raise what the caller of a write gets; the fault itself where it speaks of a statement."""
        self._raise(self._about_writing())

    def raise_for_reader(self) -> NoReturn:
        """Raise what a reader gets; the fault itself where it speaks of a statement."""
        self._raise(self._about_reading())

    def raise_if_refused(self) -> None:
        """Raise what an operator must mend where the server did not let us in; else do nothing."""
        refused = self._refused_at_the_door()
        if refused is not None:
            self._raise(refused)

    def _raise(self, error: ReplicationError | None) -> NoReturn:
        if error is None:
            raise self.fault
        raise error from self.fault

    def _about_writing(self) -> ReplicationError | None:
        at_the_door = self.phase is Phase.CONNECTING
        match self.outcome.commit:
            case CommitState.UNKNOWN:
                return CommitUnknown()
            case CommitState.COMMITTED:
                return None
        if self.kind is None or (at_the_door and self.kind in _LET_IN_BY_NOBODY):
            return self._refused_at_the_door()
        if self.kind in _BUSY and not (at_the_door and self.kind is ErrorKind.TIMED_OUT):
            return DatabaseBusy()
        if self.kind in _LOST or self.kind is ErrorKind.READ_ONLY:
            return SourceUnavailable(f"{self.server} could not be written to; nothing was changed. Try again shortly.")
        return None

    def _about_reading(self) -> ReplicationError | None:
        if self.kind in _REFUSED:
            return ReadOnlyUnitError()
        if self.kind in _LOST:
            return ServerLost(
                f"The connection to {self.server} was lost while reading. Read again: another server will answer.",
                server=self.server,
            )
        return self._refused_at_the_door()

    def _refused_at_the_door(self) -> ReplicationError | None:
        if self.phase is not Phase.CONNECTING:
            return None
        if isinstance(self.fault, PoolTimeout):
            return DatabaseBusy(
                f"All connections of this process to {self.server} are taken. Nothing was changed: try again in a moment."
            )
        if self.kind not in _LET_IN_BY_NOBODY:
            return None
        return AccessRefused(
            f"{self.server} refused the login: {self.fault.orig}. Check account, password, database and certificate.",
            server=self.server,
        )


def classify_write_failure(fault: Fault, server: str, driver: TrackingConnection | None) -> Failure:
    """Judge a failed write.

    Args:
        fault: What came out of it.
        server: Where it ran.
        driver: Its connection, which knows whether it has committed anything; ``None``: there was none yet.
    """
    phase = _phase(driver)
    kind = classify_exception(fault)
    if kind is None:
        return Failure(fault, None, _NOTHING_KNOWN, server, phase)
    if phase is Phase.BEFORE_COMMIT and driver is not None and driver.has_committed:
        # DDL and its like have committed on the way: what is stored is stored, and a second run would store it twice.
        phase = Phase.COMMITTED
    return Failure(fault, kind, classify_write(phase, kind), server, phase)


def classify_read_failure(fault: Fault, server: str, *, connecting: bool) -> Failure:
    """Judge a failed reader; ``connecting``: nothing of the unit has been handed to the caller yet."""
    phase = Phase.CONNECTING if connecting else Phase.BEFORE_COMMIT
    kind = classify_exception(fault)
    if kind is None:
        return Failure(fault, None, _NOTHING_KNOWN, server, phase)
    return Failure(fault, kind, classify_read(phase, kind, handed_over=not connecting), server, phase)


def _phase(driver: TrackingConnection | None) -> Phase:
    if driver is None:
        return Phase.CONNECTING
    if driver.commit_confirmed:
        return Phase.COMMITTED
    return Phase.COMMIT_SENT if driver.commit_sent else Phase.BEFORE_COMMIT
