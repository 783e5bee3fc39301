"""Jobs in the database. Each function is one unit of work."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core.errors import OperationReused
from inventory_core.failures import Failure, classify
from inventory_core.inventory import Inventory
from inventory_core.tables.database_clock import database_now, read_database_clock
from inventory_web.errors import JobQuotaReached
from inventory_web.long_work.chunks import add_chunks
from inventory_web.long_work.leases import abandoned, is_abandoned
from inventory_web.long_work.states import UNDER_WAY, Job, State
from inventory_web.long_work.tables import JobChunk, JobRow
from inventory_web.replicated_database import may_be_behind, reader_of_source

KEEP_FILE = timedelta(days=1)
KEEP_JOB = timedelta(days=30)
BEGINNING = {
    "worker": "",
    "takes": 0,
    "cancel_requested": False,
    "stage": "",
    "done_rows": 0,
    "total_rows": 0,
    "remaining": None,
}


def add_job(inventory: Inventory, job: Job, file: IO[bytes] | None = None) -> None:
    """Keep a job with its file, which is read from its beginning; one that is there already is left alone.

    Raises ``OperationReused`` if its id belongs to somebody else's or another kind of work.
    """

    def work(session: Session) -> None:
        there = session.get(JobRow, job.id)
        if there is not None:
            if (there.kind, there.actor) != (job.kind, job.actor):
                raise OperationReused(job.id)
            return
        values: dict[str, Any] = {"id": job.id, "kind": job.kind, "step": job.step, "title": job.title[:200]}
        values |= {"request": _text(job.request), "actor": job.actor, "state": State.WAITING, "outcome": "", "size": 0}
        values |= {"created_at": inventory.clock(), "touched_at": database_now()}
        session.execute(insert(JobRow).values(**values, **BEGINNING))
        if file is not None:
            size = add_chunks(session, job.id, file)
            session.execute(update(JobRow).where(col(JobRow.id) == job.id).values(size=size))

    try:
        inventory.sessions.write(work)
    except DBAPIError as error:
        if classify(error) is not Failure.DUPLICATE:
            raise
        # The same form came in twice at the same instant.
        inventory.sessions.write(work)


def find_job(inventory: Inventory, job_id: str) -> Job | None:
    """The job with this id, or None. What no replica knows yet is asked of the source: its address may be a colleague's."""
    with inventory.sessions.reader() as session:
        job = _find(session, job_id)
    if job is None and may_be_behind(inventory.sessions):
        with reader_of_source(inventory.sessions) as session:
            job = _find(session, job_id)
    return job


def recent_jobs(
    inventory: Inventory, visible: Mapping[str, str | None], *, number: int = 30, under_way: bool = False
) -> tuple[Job, ...]:
    """The latest jobs, the newest first.

    ``visible`` names the kinds to look for, each with the only actor whose jobs are wanted, or None for everybody's.
    ``under_way``: only those that are not over.
    """
    wanted = [_of_kind(kind, actor) for kind, actor in visible.items()]
    query = select(JobRow).where(or_(False, *wanted)).order_by(col(JobRow.created_at).desc()).limit(number)
    if under_way:
        query = query.where(col(JobRow.state).in_(UNDER_WAY))
    with inventory.sessions.reader() as session:
        now = read_database_clock(session.connection())
        return tuple(job_of(row, now) for row in session.scalars(query))


def require_quota(
    inventory: Inventory, job: Job, pending: Collection[str], *, max_jobs: int, max_bytes: int, adding: int
) -> None:
    """Raise ``JobQuotaReached`` if the account may not have this job, with ``adding`` bytes, besides those that it has.

    ``pending`` names jobs of the account that are about to be written down, if they are not already. Requests
    at the same instant do not see one another, so an account may have a few more.
    """
    others = (col(JobRow.actor) == job.actor, col(JobRow.id).not_in((job.id, *pending)))
    chunk = select(col(JobChunk.job_id)).where(col(JobChunk.job_id) == col(JobRow.id))
    running = select(func.count()).select_from(JobRow).where(*others, col(JobRow.state).in_(UNDER_WAY))
    stored = select(func.coalesce(func.sum(col(JobRow.size)), 0)).where(*others, chunk.exists())
    with reader_of_source(inventory.sessions) as session:
        if session.execute(running).scalar_one() + len(pending) >= max_jobs:
            raise JobQuotaReached("jobs", max_jobs)
        if int(session.execute(stored).scalar_one()) + adding > max_bytes:
            raise JobQuotaReached("bytes", max_bytes)


def queue_again(
    inventory: Inventory, job: Job, step: str, *, from_states: Collection[State], request: Mapping[str, Any]
) -> bool:
    """Let the job wait for a worker, as new; False if it is in none of these states any more."""
    values = {**BEGINNING, "state": State.WAITING, "step": step, "request": _text({**job.request, **request})}

    def work(session: Session) -> bool:
        statement = update(JobRow).where(col(JobRow.id) == job.id, col(JobRow.state).in_(tuple(from_states)))
        return _changed(session, statement.values(**values, touched_at=database_now()))

    return inventory.sessions.write(work)


def ask_to_cancel(inventory: Inventory, job_id: str) -> None:
    """Cancel a job that nobody works on, and tell the worker of another one, who hears of it within a second or two."""
    state = col(JobRow.state)

    def work(session: Session) -> None:
        now = read_database_clock(session.connection())
        this = update(JobRow).where(col(JobRow.id) == job_id)
        idle = this.where(or_(state == State.WAITING, abandoned(now)))
        if not _changed(session, idle.values(state=State.CANCELLED, worker="", touched_at=now)):
            session.execute(this.where(state == State.WORKING).values(cancel_requested=True))

    inventory.sessions.write(work)


def mark_undone(session: Session, job_id: str) -> None:
    """Write down, in a transaction of the caller, that what the job did was taken back."""
    statement = update(JobRow).where(col(JobRow.id) == job_id, col(JobRow.state) == State.DONE)
    session.execute(statement.values(state=State.UNDONE))


def clear_away(inventory: Inventory, lasting: Collection[str]) -> None:
    """Delete files after ``KEEP_FILE`` and jobs after ``KEEP_JOB``; of ``lasting`` kinds, those that were done stay."""
    with inventory.sessions.reader() as session:
        old_files, old = _old(read_database_clock(session.connection()), lasting)
        with_files = select(func.count()).select_from(JobChunk).where(col(JobChunk.job_id).in_(old_files))
        if not session.scalar(with_files) and not session.scalar(select(func.count()).select_from(JobRow).where(old)):
            return

    def work(session: Session) -> None:
        old_files, old = _old(read_database_clock(session.connection()), lasting)
        session.execute(delete(JobChunk).where(col(JobChunk.job_id).in_(old_files)))
        session.execute(delete(JobRow).where(old))

    inventory.sessions.write(work)


def _old(now: datetime, lasting: Collection[str]) -> tuple[Select[str], ColumnElement[bool]]:
    """The jobs whose files, and those that as a whole, are not needed any more."""
    over = col(JobRow.state).not_in(UNDER_WAY)
    done = col(JobRow.state).in_((State.DONE, State.UNDONE))
    old_files = select(col(JobRow.id)).where(over, col(JobRow.touched_at) < now - KEEP_FILE)
    return old_files, and_(
        over, col(JobRow.touched_at) < now - KEEP_JOB, ~and_(col(JobRow.kind).in_(tuple(lasting)), done)
    )


def _find(session: Session, job_id: str) -> Job | None:
    row = session.get(JobRow, job_id)
    return None if row is None else job_of(row, read_database_clock(session.connection()))


def job_of(row: JobRow, now: datetime) -> Job:
    """The job of a row, as it is at this time."""
    state = State(row.state)
    # The clock of another server may be ahead.
    since = max(0.0, (now - row.touched_at).total_seconds())
    return Job(
        id=row.id,
        kind=row.kind,
        step=row.step,
        title=row.title,
        request=json.loads(row.request),
        actor=row.actor,
        state=state,
        created_at=row.created_at,
        size=row.size,
        stage=row.stage,
        done=row.done_rows,
        total=row.total_rows,
        remaining=None if row.remaining is None else max(0.0, row.remaining - since),
        outcome=json.loads(row.outcome) if row.outcome else None,
        takes=row.takes,
        interrupted=is_abandoned(state, row.touched_at, now),
        cancelling=row.cancel_requested and state in UNDER_WAY,
        kept=state in UNDER_WAY or now - row.touched_at < KEEP_FILE,
    )


def _of_kind(kind: str, actor: str | None) -> ColumnElement[bool]:
    wanted = col(JobRow.kind) == kind
    return wanted if actor is None else and_(wanted, col(JobRow.actor) == actor)


def _changed(session: Session, statement: Any) -> bool:
    return bool(session.connection().execute(statement).rowcount)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False)
