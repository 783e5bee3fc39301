"""How a worker takes a job, keeps it, and gives it back. Each function is one unit of work.

Every change of a worker is guarded by its name in the row: whoever has lost a job can write nothing more about it.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core.inventory import Inventory
from inventory_core.tables.database_clock import database_now, read_database_clock
from inventory_web.long_work.jobs import job_of
from inventory_web.long_work.leases import Verdict, to_be_taken, verdict
from inventory_web.long_work.states import Job, State
from inventory_web.long_work.tables import JobChunk, JobRow
from inventory_web.replicated_database import reader_of_source

AT_ONCE = 20


class LeaseLost(Exception):
    """Another worker has taken the job over."""


def is_work_there(inventory: Inventory, kinds: Collection[str]) -> bool:
    """Whether a job waits to be taken. Reads the source, so that nothing that was asked for is overlooked."""
    with reader_of_source(inventory.sessions) as session:
        wanted = (to_be_taken(read_database_clock(session.connection())), col(JobRow.kind).in_(tuple(kinds)))
        return session.scalar(select(col(JobRow.id)).where(*wanted).limit(1)) is not None


def take_next(
    inventory: Inventory,
    worker: str,
    kinds: Collection[str],
    *,
    besides: Collection[str],
    given_up: Callable[[], Mapping[str, Any]],
) -> Job | None:
    """Take the oldest job of these kinds for which nobody works; None if there is none.

    The jobs ``besides`` are worked on by this process, although it may have been silent: on SQLite nothing can be written
    about an import while it is being stored. One that brings down its workers is ended as failed, with the outcome that
    ``given_up`` makes.
    """
    with reader_of_source(inventory.sessions) as session:
        now = read_database_clock(session.connection())
        query = select(JobRow).where(to_be_taken(now), col(JobRow.kind).in_(tuple(kinds)))
        found = [
            (row.takes, verdict(State(row.state), row.touched_at, row.takes, now), job_of(row, now))
            for row in session.scalars(query.order_by(col(JobRow.created_at)).limit(AT_ONCE))
            if row.id not in besides
        ]
    for takes, decision, job in found:
        guarded = update(JobRow).where(col(JobRow.id) == job.id, col(JobRow.takes) == takes, to_be_taken(now))
        if decision is Verdict.GIVE_UP:
            outcome = json.dumps(given_up(), ensure_ascii=False)
            _run(inventory, guarded.values(state=State.FAILED, outcome=outcome, worker=""))
        else:
            values: dict[str, Any] = {
                "state": State.WORKING,
                "worker": worker,
                "takes": takes + 1,
                "stage": "",
                "remaining": None,
            }
            if _run(inventory, guarded.values(**values, done_rows=0, total_rows=0)):
                return job
    return None


def renew(
    inventory: Inventory, job_id: str, worker: str, *, stage: str, done: int, total: int, remaining: float | None
) -> bool:
    """Say how far the job is, and that somebody still works on it; give whether it is to be cancelled.

    Raises ``LeaseLost``.
    """
    values = {"stage": stage[:40], "done_rows": done, "total_rows": total}
    values |= {"remaining": None if remaining is None else round(remaining)}

    def work(session: Session) -> bool:
        _require(session, _mine(job_id, worker).values(**values))
        return bool(session.scalar(select(col(JobRow.cancel_requested)).where(col(JobRow.id) == job_id)))

    return inventory.sessions.write(work)


def store(inventory: Inventory, job_id: str, worker: str, change: Callable[[Session], None]) -> None:
    """Write something that belongs to the job. Raises ``LeaseLost``."""

    def work(session: Session) -> None:
        _require(session, _mine(job_id, worker))
        change(session)

    inventory.sessions.write(work)


def finish(
    inventory: Inventory,
    job_id: str,
    worker: str,
    state: State,
    *,
    outcome: Mapping[str, Any] | None,
    keep_file: bool,
    size: int | None = None,
    also: Callable[[Session], None] | None = None,
) -> None:
    """Write down what came of the job, and ``also`` what belongs to that; ``outcome`` None leaves what is there.

    Raises ``LeaseLost``.
    """
    values: dict[str, Any] = {"state": state, "worker": "", "cancel_requested": False, "remaining": None}
    if outcome is not None:
        values["outcome"] = json.dumps(outcome, ensure_ascii=False)
    if size is not None:
        values["size"] = size

    def work(session: Session) -> None:
        _require(session, _mine(job_id, worker).values(**values))
        if not keep_file:
            session.execute(delete(JobChunk).where(col(JobChunk.job_id) == job_id))
        if also is not None:
            also(session)

    inventory.sessions.write(work)


def give_back(inventory: Inventory, job_id: str, worker: str, *, at_once: bool) -> None:
    """Let another worker take the job: ``at_once``, or after a pause since something was not there that it needs."""
    values: dict[str, Any] = {"state": State.WAITING, "worker": "", "stage": "", "remaining": None}
    values |= {"takes": 0} if at_once else {}

    def work(session: Session) -> None:
        _require(session, _mine(job_id, worker).values(**values))

    inventory.sessions.write(work)


def _mine(job_id: str, worker: str) -> Update:
    return update(JobRow).where(
        col(JobRow.id) == job_id, col(JobRow.worker) == worker, col(JobRow.state) == State.WORKING
    )


def _require(session: Session, statement: Update) -> None:
    if not session.connection().execute(statement.values(touched_at=database_now())).rowcount:
        raise LeaseLost


def _run(inventory: Inventory, statement: Update) -> bool:
    now = statement.values(touched_at=database_now())
    return inventory.sessions.write(lambda session: bool(session.connection().execute(now).rowcount))
