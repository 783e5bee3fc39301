"""What a failed unit of work does next, and which error the caller gets."""

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
_LOGIN_ERRORS = {ErrorKind.ACCESS, ErrorKind.TLS}
_REFUSED = {ErrorKind.READ_ONLY, ErrorKind.READ_ONLY_UNIT}

_NOTHING_KNOWN = Outcome(CommitState.NOT_COMMITTED, may_repeat=False, breaker_failure=False, refresh=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified error of database or driver.

    Args:
        fault: The exception.
        kind: Its kind; ``None`` if the pool had no connection.
        outcome: What follows from it.
        server: The server.
        phase: How far the unit of work was.
    """

    fault: Fault
    kind: ErrorKind | None
    outcome: Outcome
    server: str
    phase: Phase

    @property
    def label(self) -> str:
        """The label for counters."""
        return self.kind.value if self.kind else POOL_EXHAUSTED

    def raise_for_writer(self) -> NoReturn:
        """Raise the error for the caller of a write; the original one if it concerns a statement."""
        self._raise(self._error_for_writer())

    def raise_for_reader(self) -> NoReturn:
        """Raise the error for a reader; the original one if it concerns a statement."""
        self._raise(self._error_for_reader())

    def raise_if_refused(self) -> None:
        """Raise an error that an operator must fix if the server refused the login; else do nothing."""
        refused = self._login_error()
        if refused is not None:
            self._raise(refused)

    def _raise(self, error: ReplicationError | None) -> NoReturn:
        if error is None:
            raise self.fault
        raise error from self.fault

    def _error_for_writer(self) -> ReplicationError | None:
        connecting = self.phase is Phase.CONNECTING
        match self.outcome.commit:
            case CommitState.UNKNOWN:
                return CommitUnknown()
            case CommitState.COMMITTED:
                return None
        if self.kind is None or (connecting and self.kind in _LOGIN_ERRORS):
            return self._login_error()
        if self.kind in _BUSY and not (connecting and self.kind is ErrorKind.TIMED_OUT):
            return DatabaseBusy()
        if self.kind in _LOST or self.kind is ErrorKind.READ_ONLY:
            return SourceUnavailable(f"{self.server} could not be written to; nothing was changed. Try again shortly.")
        return None

    def _error_for_reader(self) -> ReplicationError | None:
        if self.kind in _REFUSED:
            return ReadOnlyUnitError()
        if self.kind in _LOST:
            return ServerLost(
                f"The connection to {self.server} was lost while reading. Read again: another server will answer.",
                server=self.server,
            )
        return self._login_error()

    def _login_error(self) -> ReplicationError | None:
        if self.phase is not Phase.CONNECTING:
            return None
        if isinstance(self.fault, PoolTimeout):
            return DatabaseBusy(
                f"All connections of this process to {self.server} are taken. Nothing was changed: try again in a moment."
            )
        if self.kind not in _LOGIN_ERRORS:
            return None
        return AccessRefused(
            f"{self.server} refused the login: {self.fault.orig}. Check account, password, database and certificate.",
            server=self.server,
        )


def classify_write_failure(fault: Fault, server: str, driver: TrackingConnection | None) -> Failure:
    """Classify a failed write.

    Args:
        fault: The exception.
        server: The server.
        driver: Its connection, which knows whether it has committed anything; ``None``: there was none yet.
    """
    phase = _phase(driver)
    kind = classify_exception(fault)
    if kind is None:
        return Failure(fault, None, _NOTHING_KNOWN, server, phase)
    if phase is Phase.BEFORE_COMMIT and driver is not None and driver.has_committed:
        # Statements such as DDL have committed implicitly: a second run would store their changes twice.
        phase = Phase.COMMITTED
    return Failure(fault, kind, classify_write(phase, kind), server, phase)


def classify_read_failure(fault: Fault, server: str, *, connecting: bool) -> Failure:
    """Classify a failed read; ``connecting``: the caller has received nothing of the unit yet."""
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
