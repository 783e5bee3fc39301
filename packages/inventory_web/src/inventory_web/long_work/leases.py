"""Who may work on a job: decisions without a database, and the same as conditions of a statement."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from inventory_web.long_work.states import State
from inventory_web.long_work.tables import JobRow

LEASE = timedelta(seconds=20)
"""A worker that has said nothing for so long has lost its job. Two that work on one job do no harm, only the same twice."""
PAUSE = timedelta(seconds=5)
"""How long a job waits that a worker gave back, since its database was not there."""
MOST_TAKES = 4
"""How often a job is begun that brings down its worker each time."""


class Verdict(StrEnum):
    """What a worker does with a job that it finds."""

    LEAVE = "leave"
    TAKE = "take"
    GIVE_UP = "give up"


def verdict(state: State, touched_at: datetime, takes: int, now: datetime) -> Verdict:
    """Whether a worker may take the job. ``takes``: how often it was taken since a person asked for it."""
    if state is State.WAITING:
        return Verdict.TAKE if takes == 0 or touched_at <= now - PAUSE else Verdict.LEAVE
    if not is_abandoned(state, touched_at, now):
        return Verdict.LEAVE
    return Verdict.TAKE if takes < MOST_TAKES else Verdict.GIVE_UP


def is_abandoned(state: State, touched_at: datetime, now: datetime) -> bool:
    """Whether a worker began with it and is silent."""
    return state is State.WORKING and touched_at <= now - LEASE


def to_be_taken(now: datetime) -> ColumnElement[bool]:
    """The jobs whose verdict is not to leave them."""
    state, touched_at = col(JobRow.state), col(JobRow.touched_at)
    waits = and_(state == State.WAITING, or_(col(JobRow.takes) == 0, touched_at <= now - PAUSE))
    return or_(waits, abandoned(now))


def abandoned(now: datetime) -> ColumnElement[bool]:
    """The jobs that ``is_abandoned`` is true of."""
    return and_(col(JobRow.state) == State.WORKING, col(JobRow.touched_at) <= now - LEASE)
