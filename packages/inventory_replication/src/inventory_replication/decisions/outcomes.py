"""What is certain after a failure, whether to run the work again, and what the failure says about the server."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory_replication.decisions.error_kinds import ErrorKind


class Phase(StrEnum):
    """How far a unit of work was when it failed."""

    CONNECTING = "connecting"
    """It had no connection yet."""
    BEFORE_COMMIT = "before_commit"
    """Statements may have been sent, COMMIT was not."""
    COMMIT_SENT = "commit_sent"
    """COMMIT was given to the driver, which reported no success; it may have failed to send it."""
    COMMITTED = "committed"
    """Success was reported; the failure came later."""


class CommitState(StrEnum):
    """Whether the change is stored."""

    NOT_COMMITTED = "not_committed"
    """Certainly not, and it cannot be any more."""
    COMMITTED = "committed"
    """Certainly."""
    UNKNOWN = "unknown"
    """It may be stored, now or, on a server that hangs, later."""


class PoolEffect(StrEnum):
    """Which pooled connections must not be used again. They are invalidated, not closed: closing talks to a dead server."""

    KEEP = "keep"
    CONNECTION = "connection"
    """The failed connection."""
    SERVER = "server"
    """All connections to the server."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a failure.

    Args:
        commit: See `CommitState`.
        may_repeat: Running the whole unit again is safe and may help: on the source that is then proved or, for a reader, on
            another server. `RetryPolicy` limits how often.
        breaker_failure: It counts as a failure for the server's breaker.
        refresh: The monitor should probe now: the server may have changed its role or be gone.
    """

    commit: CommitState
    may_repeat: bool
    breaker_failure: bool
    refresh: bool


_GONE: Final = {ErrorKind.UNREACHABLE, ErrorKind.LOST, ErrorKind.SHUTTING_DOWN, ErrorKind.OFFLINE}
_SUSPECT: Final = _GONE | {ErrorKind.READ_ONLY, ErrorKind.TIMED_OUT}
_RETRYABLE_WRITES: Final = _GONE | {ErrorKind.READ_ONLY, ErrorKind.NO_ROOM, ErrorKind.CONFLICT, ErrorKind.LOCK_WAIT}
_RETRYABLE_READS: Final = _GONE | {ErrorKind.NO_ROOM}
_LOGIN_ERRORS: Final = {ErrorKind.ACCESS, ErrorKind.TLS, ErrorKind.TIMED_OUT}

_ROLLED_BACK_BY_COMMIT: Final = {ErrorKind.CONFLICT, ErrorKind.LOCK_WAIT, ErrorKind.READ_ONLY, ErrorKind.READ_ONLY_UNIT}
"""Answers to COMMIT after which the change is certainly not stored, once the connection is rolled back or dropped.

All other errors may occur after the point of no return.
"""


def classify_write(phase: Phase, kind: ErrorKind) -> Outcome:
    """Return the outcome of a failed unit on the source, run in one explicit transaction.

    The unit must not commit implicitly (DDL, ``LOCK TABLES``): such changes are stored, whatever is returned here. The server
    rolls back a connection that breaks before COMMIT.

    A time-out before COMMIT stores nothing, and yet is not repeated: its time is spent, and the statement may still hold locks.
    """
    commit = _commit(phase, kind)
    return Outcome(
        commit=commit,
        may_repeat=commit is CommitState.NOT_COMMITTED and kind in _RETRYABLE_WRITES,
        breaker_failure=_counts_as_failure(phase, kind),
        refresh=kind in _SUSPECT,
    )


def classify_read(phase: Phase, kind: ErrorKind, *, handed_over: bool) -> Outcome:
    """Return the outcome of a failed read-only unit.

    Args:
        phase: `Phase.CONNECTING` or `Phase.BEFORE_COMMIT`.
        kind: The kind of the error.
        handed_over: The caller has already received part of the unit, so a run elsewhere could contradict it.
    """
    login_refused = phase is Phase.CONNECTING and kind in _LOGIN_ERRORS
    return Outcome(
        commit=CommitState.NOT_COMMITTED,
        may_repeat=not handed_over and (kind in _RETRYABLE_READS or login_refused),
        breaker_failure=_counts_as_failure(phase, kind),
        refresh=kind in _SUSPECT,
    )


def _commit(phase: Phase, kind: ErrorKind) -> CommitState:
    if phase is Phase.COMMITTED:
        return CommitState.COMMITTED
    if kind is ErrorKind.COMMIT_IN_DOUBT:
        return CommitState.UNKNOWN
    if phase is Phase.COMMIT_SENT and kind not in _ROLLED_BACK_BY_COMMIT:
        return CommitState.UNKNOWN
    return CommitState.NOT_COMMITTED


def pool_effect(kind: ErrorKind) -> PoolEffect:
    """Return which pooled connections an error makes useless."""
    if kind in _GONE or kind is ErrorKind.READ_ONLY:
        return PoolEffect.SERVER
    if kind is ErrorKind.TIMED_OUT:
        return PoolEffect.CONNECTION
    return PoolEffect.KEEP


def _counts_as_failure(phase: Phase, kind: ErrorKind) -> bool:
    """Count a slow login as a failure of the server, but not a slow statement on an established connection."""
    return kind in _GONE or (kind is ErrorKind.TIMED_OUT and phase is Phase.CONNECTING)
