"""What is sure after a failure, whether the work may be run again, and what it says about the server."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory_replication.decisions.error_kinds import Meaning


class Phase(StrEnum):
    """How far a unit of work had come when it failed."""

    CONNECTING = "connecting"
    """It had no connection yet."""
    BEFORE_COMMIT = "before_commit"
    """Statements may have been sent, COMMIT was not."""
    COMMIT_SENT = "commit_sent"
    """COMMIT was given to the driver, and success was not reported. Sending that failed belongs here."""
    COMMITTED = "committed"
    """Success was reported; what failed came later."""


class Commit(StrEnum):
    """Whether the change is stored."""

    NOT_COMMITTED = "not_committed"
    """Surely not, and it cannot be any more."""
    COMMITTED = "committed"
    """Surely."""
    UNKNOWN = "unknown"
    """It may be stored now or, on a server that hangs, later."""


class PoolEffect(StrEnum):
    """Which pooled connections are no longer to be used. They are invalidated, never closed: closing speaks with a dead server."""

    KEEP = "keep"
    CONNECTION = "connection"
    """The one that failed."""
    SERVER = "server"
    """All of the server."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Judgement of one failure.

    Args:
        commit: See `Commit`.
        may_repeat: Running the whole unit again is safe and may help: on the source that is then proved, or, for a reader, on
            another server. How often is a matter of `RetryPolicy`.
        pool: See `PoolEffect`.
        breaker_failure: It counts against the server's breaker.
        refresh: The monitor should look at once: the server may have changed its role or be gone.
    """

    commit: Commit
    may_repeat: bool
    pool: PoolEffect
    breaker_failure: bool
    refresh: bool


_GONE: Final = {Meaning.UNREACHABLE, Meaning.LOST, Meaning.SHUTTING_DOWN, Meaning.OFFLINE}
_SUSPECT: Final = _GONE | {Meaning.READ_ONLY, Meaning.TIMED_OUT}
_WORTH_ANOTHER_RUN: Final = _GONE | {Meaning.READ_ONLY, Meaning.NO_ROOM, Meaning.CONFLICT, Meaning.LOCK_WAIT}
_WORTH_ANOTHER_SERVER: Final = _GONE | {Meaning.NO_ROOM}
_REFUSED_AT_THE_DOOR: Final = {Meaning.ACCESS, Meaning.TLS, Meaning.TIMED_OUT}

_ROLLED_BACK_BY_COMMIT: Final = {Meaning.CONFLICT, Meaning.LOCK_WAIT, Meaning.READ_ONLY, Meaning.READ_ONLY_UNIT}
"""Answers to COMMIT after which the change is surely not stored, once the connection is rolled back or dropped. All others might
come from behind the point of no return."""


def judge_write(phase: Phase, meaning: Meaning) -> Outcome:
    """Judge the failure of a unit on the source, run in one explicit transaction.

    The unit must not commit implicitly (DDL, ``LOCK TABLES``): what it does so is stored, whatever is said here. A connection that
    breaks before COMMIT is rolled back by the server.

    A time-out before COMMIT leaves nothing stored, and yet is not repeated: its time is spent, and the statement may
    still hold locks.
    """
    commit = _commit(phase, meaning)
    return Outcome(
        commit=commit,
        may_repeat=commit is Commit.NOT_COMMITTED and meaning in _WORTH_ANOTHER_RUN,
        pool=pool_effect(meaning, doubtful=commit is Commit.UNKNOWN),
        breaker_failure=_counts(phase, meaning),
        refresh=meaning in _SUSPECT,
    )


def judge_read(phase: Phase, meaning: Meaning, *, handed_over: bool) -> Outcome:
    """Judge the failure of a read-only unit.

    Args:
        phase: `Phase.CONNECTING` or `Phase.BEFORE_COMMIT`.
        meaning: Of the error.
        handed_over: The caller has got something of the unit already, so that running it elsewhere could contradict it.
    """
    at_the_door = phase is Phase.CONNECTING and meaning in _REFUSED_AT_THE_DOOR
    return Outcome(
        commit=Commit.NOT_COMMITTED,
        may_repeat=not handed_over and (meaning in _WORTH_ANOTHER_SERVER or at_the_door),
        pool=pool_effect(meaning),
        breaker_failure=_counts(phase, meaning),
        refresh=meaning in _SUSPECT,
    )


def _commit(phase: Phase, meaning: Meaning) -> Commit:
    if phase is Phase.COMMITTED:
        return Commit.COMMITTED
    if meaning is Meaning.COMMIT_IN_DOUBT:
        return Commit.UNKNOWN
    if phase is Phase.COMMIT_SENT and meaning not in _ROLLED_BACK_BY_COMMIT:
        return Commit.UNKNOWN
    return Commit.NOT_COMMITTED


def pool_effect(meaning: Meaning, *, doubtful: bool = False) -> PoolEffect:
    """Which connections an error takes with it; ``doubtful``: the connection may yet commit something."""
    if meaning in _GONE or meaning is Meaning.READ_ONLY:
        return PoolEffect.SERVER
    if doubtful or meaning is Meaning.TIMED_OUT:
        return PoolEffect.CONNECTION
    return PoolEffect.KEEP


def _counts(phase: Phase, meaning: Meaning) -> bool:
    """A slow statement on an established connection is no dead server; one that does not even let us in on time is."""
    return meaning in _GONE or (meaning is Meaning.TIMED_OUT and phase is Phase.CONNECTING)
