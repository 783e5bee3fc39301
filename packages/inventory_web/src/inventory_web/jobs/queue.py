"""The queue of jobs in the database: add, find, claim, renew, finish, and purge after the retention times.

Each function is one unit of work.

Every change of a worker is guarded by its name in the row, so a worker that lost a job cannot write to it.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, Any

from sqlalchemy import ColumnElement, Select, Update, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core import (
    DriverErrorKind,
    Inventory,
    OperationReused,
    classify_driver_error,
    database_now,
    read_database_clock,
)
from inventory_web.db.models import JobChunk, JobRow
from inventory_web.db.replicas import may_be_behind, reader_of_source
from inventory_web.errors import JobQuotaReached
from inventory_web.jobs.files import add_chunks
from inventory_web.jobs.models import ACTIVE_STATES, Job, JobState

LEASE = timedelta(seconds=20)
"""The time without a sign of life after which a worker has lost its job. Two workers on one job only do the same work twice."""
RETRY_DELAY = timedelta(seconds=5)
"""The pause of a job that a worker released because its database was not available."""
MAX_ATTEMPTS = 4
"""How often a job is started if its worker dies each time."""
CLAIM_BATCH_SIZE = 20
KEEP_FILE = timedelta(days=1)
KEEP_JOB = timedelta(days=30)
INITIAL_VALUES = {
    "worker": "",
    "attempts": 0,
    "cancel_requested": False,
    "stage": "",
    "done_rows": 0,
    "total_rows": 0,
    "remaining": None,
}


class LeaseLost(Exception):
    """Another worker has claimed the job."""


class ClaimDecision(StrEnum):
    """What a worker does with a job in the queue."""

    LEAVE = "leave"
    TAKE = "take"
    ABANDON = "abandon"


def decide_claim(state: JobState, touched_at: datetime, attempts: int, now: datetime) -> ClaimDecision:
    """Decide whether a worker may take the job. ``attempts``: how often it was started since a user requested it."""
    if state is JobState.WAITING:
        return ClaimDecision.TAKE if attempts == 0 or touched_at <= now - RETRY_DELAY else ClaimDecision.LEAVE
    if not is_lease_expired(state, touched_at, now):
        return ClaimDecision.LEAVE
    return ClaimDecision.TAKE if attempts < MAX_ATTEMPTS else ClaimDecision.ABANDON


def is_lease_expired(state: JobState, touched_at: datetime, now: datetime) -> bool:
    """Return whether a worker started the job and is silent."""
    return state is JobState.WORKING and touched_at <= now - LEASE


def claimable(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the jobs for which ``decide_claim`` is not ``LEAVE``."""
    state, touched_at = col(JobRow.state), col(JobRow.touched_at)
    waits = and_(state == JobState.WAITING, or_(col(JobRow.attempts) == 0, touched_at <= now - RETRY_DELAY))
    return or_(waits, lease_expired(now))


def lease_expired(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the jobs for which ``is_lease_expired`` is true."""
    return and_(col(JobRow.state) == JobState.WORKING, col(JobRow.touched_at) <= now - LEASE)


def add_job(inventory: Inventory, job: Job, file: IO[bytes] | None = None) -> None:
    """Store a job with its file, which is read from its beginning. A job that is already stored is left alone.

    Raises:
        OperationReused: If the id belongs to a job of another actor or another type.
    """

    def work(session: Session) -> None:
        there = session.get(JobRow, job.id)
        if there is not None:
            if (there.kind, there.actor) != (job.kind, job.actor):
                raise OperationReused(job.id)
            return
        values: dict[str, Any] = {"id": job.id, "kind": job.kind, "step": job.step, "title": job.title[:200]}
        values |= {
            "request": _text(job.request),
            "actor": job.actor,
            "state": JobState.WAITING,
            "outcome": "",
            "size": 0,
        }
        values |= {"created_at": inventory.clock(), "touched_at": database_now()}
        session.execute(insert(JobRow).values(**values, **INITIAL_VALUES))
        if file is not None:
            size = add_chunks(session, job.id, file)
            session.execute(update(JobRow).where(col(JobRow.id) == job.id).values(size=size))

    try:
        inventory.sessions.write(work)
    except DBAPIError as error:
        if classify_driver_error(error) is not DriverErrorKind.DUPLICATE:
            raise
        # The same form arrived twice at the same time.
        inventory.sessions.write(work)


def find_job(inventory: Inventory, job_id: str) -> Job | None:
    """Return the job with this id, or None. If no replica has it yet, read the source: the URL may come from a colleague."""
    with inventory.sessions.reader() as session:
        job = _find(session, job_id)
    if job is None and may_be_behind(inventory.sessions):
        with reader_of_source(inventory.sessions) as session:
            job = _find(session, job_id)
    return job


def recent_jobs(
    inventory: Inventory, visible: Mapping[str, str | None], *, number: int = 30, under_way: bool = False
) -> tuple[Job, ...]:
    """Return the latest jobs, newest first.

    Args:
        inventory: The inventory whose database has the jobs.
        visible: The job types to look for, each with the only actor whose jobs are wanted, or None for all actors.
        number: The maximum number of jobs.
        under_way: Whether to return only jobs that are not over.
    """
    wanted = [_of_kind(kind, actor) for kind, actor in visible.items()]
    query = select(JobRow).where(or_(False, *wanted)).order_by(col(JobRow.created_at).desc()).limit(number)
    if under_way:
        query = query.where(col(JobRow.state).in_(ACTIVE_STATES))
    with inventory.sessions.reader() as session:
        now = read_database_clock(session.connection())
        return tuple(job_from_row(row, now) for row in session.scalars(query))


def require_quota(
    inventory: Inventory, job: Job, pending: Collection[str], *, max_jobs: int, max_bytes: int, adding: int
) -> None:
    """Raise ``JobQuotaReached`` if the account may not have this job, with ``adding`` bytes, in addition to those that it has.

    ``pending`` names jobs of the account that are about to be stored. Simultaneous requests do not see one another, so an
    account may have a few more.
    """
    others = (col(JobRow.actor) == job.actor, col(JobRow.id).not_in((job.id, *pending)))
    chunk = select(col(JobChunk.job_id)).where(col(JobChunk.job_id) == col(JobRow.id))
    running = select(func.count()).select_from(JobRow).where(*others, col(JobRow.state).in_(ACTIVE_STATES))
    stored = select(func.coalesce(func.sum(col(JobRow.size)), 0)).where(*others, chunk.exists())
    with reader_of_source(inventory.sessions) as session:
        if session.execute(running).scalar_one() + len(pending) >= max_jobs:
            raise JobQuotaReached("jobs", max_jobs)
        if int(session.execute(stored).scalar_one()) + adding > max_bytes:
            raise JobQuotaReached("bytes", max_bytes)


def requeue(
    inventory: Inventory, job: Job, step: str, *, from_states: Collection[JobState], request: Mapping[str, Any]
) -> bool:
    """Queue the job again, as new; return False if it is no longer in one of these states."""
    values = {**INITIAL_VALUES, "state": JobState.WAITING, "step": step, "request": _text({**job.request, **request})}

    def work(session: Session) -> bool:
        statement = update(JobRow).where(col(JobRow.id) == job.id, col(JobRow.state).in_(tuple(from_states)))
        return _changed(session, statement.values(**values, touched_at=database_now()))

    return inventory.sessions.write(work)


def request_cancel(inventory: Inventory, job_id: str) -> None:
    """Cancel a job that no worker has; otherwise notify its worker, which notices within a second or two."""
    state = col(JobRow.state)

    def work(session: Session) -> None:
        now = read_database_clock(session.connection())
        this = update(JobRow).where(col(JobRow.id) == job_id)
        idle = this.where(or_(state == JobState.WAITING, lease_expired(now)))
        if not _changed(session, idle.values(state=JobState.CANCELLED, worker="", touched_at=now)):
            session.execute(this.where(state == JobState.WORKING).values(cancel_requested=True))

    inventory.sessions.write(work)


def mark_undone(session: Session, job_id: str) -> None:
    """Record, in the caller's transaction, that the changes of the job were undone."""
    statement = update(JobRow).where(col(JobRow.id) == job_id, col(JobRow.state) == JobState.DONE)
    session.execute(statement.values(state=JobState.UNDONE))


def purge_expired(inventory: Inventory, lasting: Collection[str]) -> None:
    """Delete files after ``KEEP_FILE`` and jobs after ``KEEP_JOB``; of ``lasting`` kinds, those that were done stay."""
    with inventory.sessions.reader() as session:
        old_files, old = _expired(read_database_clock(session.connection()), lasting)
        with_files = select(func.count()).select_from(JobChunk).where(col(JobChunk.job_id).in_(old_files))
        if not session.scalar(with_files) and not session.scalar(select(func.count()).select_from(JobRow).where(old)):
            return

    def work(session: Session) -> None:
        old_files, old = _expired(read_database_clock(session.connection()), lasting)
        session.execute(delete(JobChunk).where(col(JobChunk.job_id).in_(old_files)))
        session.execute(delete(JobRow).where(old))

    inventory.sessions.write(work)


def _expired(now: datetime, lasting: Collection[str]) -> tuple[Select[str], ColumnElement[bool]]:
    """Return the ids of the jobs whose files have expired, and the condition of the expired jobs."""
    over = col(JobRow.state).not_in(ACTIVE_STATES)
    done = col(JobRow.state).in_((JobState.DONE, JobState.UNDONE))
    old_files = select(col(JobRow.id)).where(over, col(JobRow.touched_at) < now - KEEP_FILE)
    return old_files, and_(
        over, col(JobRow.touched_at) < now - KEEP_JOB, ~and_(col(JobRow.kind).in_(tuple(lasting)), done)
    )


def _find(session: Session, job_id: str) -> Job | None:
    row = session.get(JobRow, job_id)
    return None if row is None else job_from_row(row, read_database_clock(session.connection()))


def job_from_row(row: JobRow, now: datetime) -> Job:
    """Return the job of a row, as it is at this time."""
    state = JobState(row.state)
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
        attempts=row.attempts,
        interrupted=is_lease_expired(state, row.touched_at, now),
        cancelling=row.cancel_requested and state in ACTIVE_STATES,
        kept=state in ACTIVE_STATES or now - row.touched_at < KEEP_FILE,
    )


def _of_kind(kind: str, actor: str | None) -> ColumnElement[bool]:
    wanted = col(JobRow.kind) == kind
    return wanted if actor is None else and_(wanted, col(JobRow.actor) == actor)


def _changed(session: Session, statement: Any) -> bool:
    return bool(session.connection().execute(statement).rowcount)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False)


def has_due_job(inventory: Inventory, kinds: Collection[str]) -> bool:
    """Return whether a job waits for a worker. Reads the source, so that no request is overlooked."""
    with reader_of_source(inventory.sessions) as session:
        wanted = (claimable(read_database_clock(session.connection())), col(JobRow.kind).in_(tuple(kinds)))
        return session.scalar(select(col(JobRow.id)).where(*wanted).limit(1)) is not None


def claim_next(
    inventory: Inventory,
    worker: str,
    kinds: Collection[str],
    *,
    excluding: Collection[str],
    abandoned_outcome: Callable[[], Mapping[str, Any]],
) -> Job | None:
    """Claim the oldest due job of these types; None if there is none.

    Args:
        inventory: The inventory whose database has the jobs.
        worker: The name of the worker, unique to this claim.
        kinds: The names of the job types to claim.
        excluding: The ids of jobs that this process works on. It may have been silent: on SQLite nothing can be written about
            an import while the import is being stored.
        abandoned_outcome: Makes the outcome of a job that ends as failed because its workers died each time.
    """
    with reader_of_source(inventory.sessions) as session:
        now = read_database_clock(session.connection())
        query = select(JobRow).where(claimable(now), col(JobRow.kind).in_(tuple(kinds)))
        found = [
            (row.attempts, decide_claim(JobState(row.state), row.touched_at, row.attempts, now), job_from_row(row, now))
            for row in session.scalars(query.order_by(col(JobRow.created_at)).limit(CLAIM_BATCH_SIZE))
            if row.id not in excluding
        ]
    for attempts, decision, job in found:
        guarded = update(JobRow).where(col(JobRow.id) == job.id, col(JobRow.attempts) == attempts, claimable(now))
        if decision is ClaimDecision.ABANDON:
            outcome = json.dumps(abandoned_outcome(), ensure_ascii=False)
            _run(inventory, guarded.values(state=JobState.FAILED, outcome=outcome, worker=""))
        else:
            values: dict[str, Any] = {
                "state": JobState.WORKING,
                "worker": worker,
                "attempts": attempts + 1,
                "stage": "",
                "remaining": None,
            }
            if _run(inventory, guarded.values(**values, done_rows=0, total_rows=0)):
                return job
    return None


def renew(
    inventory: Inventory, job_id: str, worker: str, *, stage: str, done: int, total: int, remaining: float | None
) -> bool:
    """Save the progress of the job and renew its lease; return whether a user requested to cancel it.

    Raises:
        LeaseLost: If another worker has the job.
    """
    values = {"stage": stage[:40], "done_rows": done, "total_rows": total}
    values |= {"remaining": None if remaining is None else round(remaining)}

    def work(session: Session) -> bool:
        _require_lease(session, _own_job(job_id, worker).values(**values))
        return bool(session.scalar(select(col(JobRow.cancel_requested)).where(col(JobRow.id) == job_id)))

    return inventory.sessions.write(work)


def store(inventory: Inventory, job_id: str, worker: str, change: Callable[[Session], None]) -> None:
    """Run ``change`` in a transaction that holds the lease. Raises ``LeaseLost``."""

    def work(session: Session) -> None:
        _require_lease(session, _own_job(job_id, worker))
        change(session)

    inventory.sessions.write(work)


def finish(
    inventory: Inventory,
    job_id: str,
    worker: str,
    state: JobState,
    *,
    outcome: Mapping[str, Any] | None,
    keep_file: bool,
    size: int | None = None,
    also: Callable[[Session], None] | None = None,
) -> None:
    """Store the end of the job, and run ``also`` in the same transaction. ``outcome`` None keeps the stored outcome.

    Raises:
        LeaseLost: If another worker has the job.
    """
    values: dict[str, Any] = {"state": state, "worker": "", "cancel_requested": False, "remaining": None}
    if outcome is not None:
        values["outcome"] = json.dumps(outcome, ensure_ascii=False)
    if size is not None:
        values["size"] = size

    def work(session: Session) -> None:
        _require_lease(session, _own_job(job_id, worker).values(**values))
        if not keep_file:
            session.execute(delete(JobChunk).where(col(JobChunk.job_id) == job_id))
        if also is not None:
            also(session)

    inventory.sessions.write(work)


def release(inventory: Inventory, job_id: str, worker: str, *, immediately: bool) -> None:
    """Return the job to the queue: ``immediately``, or with a pause because the database was not available."""
    values: dict[str, Any] = {"state": JobState.WAITING, "worker": "", "stage": "", "remaining": None}
    values |= {"attempts": 0} if immediately else {}

    def work(session: Session) -> None:
        _require_lease(session, _own_job(job_id, worker).values(**values))

    inventory.sessions.write(work)


def _own_job(job_id: str, worker: str) -> Update:
    return update(JobRow).where(
        col(JobRow.id) == job_id, col(JobRow.worker) == worker, col(JobRow.state) == JobState.WORKING
    )


def _require_lease(session: Session, statement: Update) -> None:
    if not session.connection().execute(statement.values(touched_at=database_now())).rowcount:
        raise LeaseLost


def _run(inventory: Inventory, statement: Update) -> bool:
    now = statement.values(touched_at=database_now())
    return inventory.sessions.write(lambda session: bool(session.connection().execute(now).rowcount))
