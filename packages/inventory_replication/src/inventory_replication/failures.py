"""From what a unit of work raised to what is done about it and what the caller is told."""

from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from inventory_replication.decisions.error_kinds import Meaning
from inventory_replication.decisions.outcomes import Commit, Outcome, Phase, PoolEffect, judge_read, judge_write
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
from inventory_replication.mysql.diagnostics import meaning_of_fault

Fault = DBAPIError | PoolTimeout
POOL_EXHAUSTED = "pool_exhausted"
_BUSY = {Meaning.CONFLICT, Meaning.LOCK_WAIT, Meaning.NO_ROOM, Meaning.TIMED_OUT}
_LOST = {Meaning.UNREACHABLE, Meaning.LOST, Meaning.TIMED_OUT, Meaning.SHUTTING_DOWN, Meaning.OFFLINE}
_LET_IN_BY_NOBODY = {Meaning.ACCESS, Meaning.TLS}
_REFUSED = {Meaning.READ_ONLY, Meaning.READ_ONLY_UNIT}

_NOTHING_KNOWN = Outcome(
    Commit.NOT_COMMITTED, may_repeat=False, pool=PoolEffect.KEEP, breaker_failure=False, refresh=False
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault of database or driver, judged.

    Args:
        fault: What was raised.
        meaning: What it says; ``None`` where the pool had no connection to give.
        outcome: What follows.
        server: Where.
        phase: How far the unit had come.
    """

    fault: Fault
    meaning: Meaning | None
    outcome: Outcome
    server: str
    phase: Phase

    @property
    def label(self) -> str:
        """For counting."""
        return self.meaning.value if self.meaning else POOL_EXHAUSTED

    def tell_writer(self) -> NoReturn:
        """Raise what the caller of a write gets; the fault itself where it speaks of a statement."""
        self._raise(self._about_writing())

    def tell_reader(self) -> NoReturn:
        """Raise what a reader gets; the fault itself where it speaks of a statement."""
        self._raise(self._about_reading())

    def tell_refusal(self) -> None:
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
            case Commit.UNKNOWN:
                return CommitUnknown()
            case Commit.COMMITTED:
                return None
        if self.meaning is None or (at_the_door and self.meaning in _LET_IN_BY_NOBODY):
            return self._refused_at_the_door()
        if self.meaning in _BUSY and not (at_the_door and self.meaning is Meaning.TIMED_OUT):
            return DatabaseBusy()
        if self.meaning in _LOST or self.meaning is Meaning.READ_ONLY:
            return SourceUnavailable(f"{self.server} could not be written to; nothing was changed. Try again shortly.")
        return None

    def _about_reading(self) -> ReplicationError | None:
        if self.meaning in _REFUSED:
            return ReadOnlyUnitError()
        if self.meaning in _LOST:
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
        if self.meaning not in _LET_IN_BY_NOBODY:
            return None
        return AccessRefused(
            f"{self.server} refused the login: {self.fault.orig}. Check account, password, database and certificate.",
            server=self.server,
        )


def judge_writer(fault: Fault, server: str, driver: TrackingConnection | None) -> Failure:
    """Judge a failed write.

    Args:
        fault: What came out of it.
        server: Where it ran.
        driver: Its connection, which knows whether it has committed anything; ``None``: there was none yet.
    """
    phase = _phase(driver)
    meaning = meaning_of_fault(fault)
    if meaning is None:
        return Failure(fault, None, _NOTHING_KNOWN, server, phase)
    if phase is Phase.BEFORE_COMMIT and driver is not None and driver.committed_already:
        # DDL and its like have committed on the way: what is stored is stored, and a second run would store it twice.
        phase = Phase.COMMITTED
    return Failure(fault, meaning, judge_write(phase, meaning), server, phase)


def judge_reader(fault: Fault, server: str, *, connecting: bool) -> Failure:
    """Judge a failed reader; ``connecting``: nothing of the unit has been handed to the caller yet."""
    phase = Phase.CONNECTING if connecting else Phase.BEFORE_COMMIT
    meaning = meaning_of_fault(fault)
    if meaning is None:
        return Failure(fault, None, _NOTHING_KNOWN, server, phase)
    return Failure(fault, meaning, judge_read(phase, meaning, handed_over=not connecting), server, phase)


def _phase(driver: TrackingConnection | None) -> Phase:
    if driver is None:
        return Phase.CONNECTING
    if driver.commit_confirmed:
        return Phase.COMMITTED
    return Phase.COMMIT_SENT if driver.commit_sent else Phase.BEFORE_COMMIT
