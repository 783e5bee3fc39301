"""Imports in the database. Each function is one unit of work."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from inventory_core.errors import MovementNotFound
from inventory_core.inventory import Inventory
from inventory_web.areas.imports.tables import ImportChunk, ImportJob

CHUNK_BYTES = 512 * 1024
DEAD_AFTER = timedelta(seconds=60)
KEEP_FILE = timedelta(days=1)
KEEP_JOB = timedelta(days=30)


class State(StrEnum):
    """Where an import stands. ``READING`` and ``IMPORTING`` are worked on by some instance."""

    READING = "reading"
    READY = "ready"
    REFUSED = "refused"
    IMPORTING = "importing"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


WORKED_ON = (State.READING, State.IMPORTING)


@dataclass(frozen=True, slots=True)
class Job:
    """An import as pages show it. ``interrupted``: an instance began with it and is silent since ``DEAD_AFTER``."""

    id: str
    filename: str
    sheet: str
    size: int
    actor: str
    state: State
    stage: str
    done_rows: int
    total_rows: int
    outcome: Mapping[str, Any]
    created_at: datetime
    interrupted: bool

    @property
    def worked_on(self) -> bool:
        """Whether an instance is busy with it."""
        return self.state in WORKED_ON and not self.interrupted


def add_job(inventory: Inventory, file: IO[bytes], *, filename: str, sheet: str, actor: str) -> str:
    """Keep an uploaded file, and clear away old ones; give the new id. The file is read from its beginning."""
    job_id = secrets.token_hex(16)
    now = inventory.clock()

    def work(session: Session) -> None:
        _purge(session, now)
        values: dict[str, Any] = {
            "id": job_id,
            "filename": filename[:200],
            "sheet": sheet[:100],
            "actor": actor,
            "state": State.READING,
        }
        values |= {"stage": "", "done_rows": 0, "total_rows": 0, "outcome": "", "size": 0}
        session.execute(insert(ImportJob).values(**values, created_at=now, touched_at=now))
        file.seek(0)
        size = 0
        for number, content in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
            session.execute(insert(ImportChunk).values(job_id=job_id, number=number, content=content))
            size += len(content)
        session.execute(update(ImportJob).where(col(ImportJob.id) == job_id).values(size=size))

    inventory.sessions.write(work)
    return job_id


def write_file(inventory: Inventory, job_id: str, target: IO[bytes]) -> bool:
    """Copy the kept file into ``target``, rewound; False if it is no longer kept."""
    found = False
    with inventory.sessions.reader() as session:
        numbers = select(col(ImportChunk.number)).where(col(ImportChunk.job_id) == job_id)
        for number in session.scalars(numbers.order_by(col(ImportChunk.number))).all():
            piece = select(col(ImportChunk.content)).where(
                col(ImportChunk.job_id) == job_id, col(ImportChunk.number) == number
            )
            target.write(session.scalars(piece).one())
            found = True
    target.seek(0)
    return found


def find_job(inventory: Inventory, job_id: str) -> Job:
    """The import with this id. Raises ``MovementNotFound``."""
    with inventory.sessions.reader() as session:
        row = session.get(ImportJob, job_id)
        if row is None:
            raise MovementNotFound(job_id[:80])
        return _job(row, inventory.clock())


def recent_jobs(inventory: Inventory, number: int = 20) -> tuple[Job, ...]:
    """The latest imports, the newest first."""
    query = select(ImportJob).order_by(col(ImportJob.created_at).desc()).limit(number)
    with inventory.sessions.reader() as session:
        return tuple(_job(row, inventory.clock()) for row in session.scalars(query))


def claim(inventory: Inventory, job_id: str, state: State, *, from_states: Iterable[State]) -> bool:
    """Begin to work on an import; False if somebody else was first or it is not in one of these states.

    One that an instance left behind may be taken over.
    """
    now = inventory.clock()
    abandoned = col(ImportJob.state).in_(WORKED_ON) & (col(ImportJob.touched_at) < now - DEAD_AFTER)

    def work(session: Session) -> bool:
        statement = (
            update(ImportJob)
            .where(col(ImportJob.id) == job_id, or_(col(ImportJob.state).in_(tuple(from_states)), abandoned))
            .values(state=state, stage="", done_rows=0, total_rows=0, touched_at=now)
        )
        return session.connection().execute(statement).rowcount == 1

    return inventory.sessions.write(work)


def note_progress(inventory: Inventory, job_id: str, stage: str, done: int, total: int) -> None:
    """Say how far it is, and that somebody still works on it."""
    now = inventory.clock()

    def work(session: Session) -> None:
        statement = update(ImportJob).where(col(ImportJob.id) == job_id, col(ImportJob.state).in_(WORKED_ON))
        session.execute(statement.values(stage=stage[:40], done_rows=done, total_rows=total, touched_at=now))

    inventory.sessions.write(work)


def finish(
    inventory: Inventory, job_id: str, state: State, outcome: Mapping[str, Any] | None, *, keep_file: bool
) -> None:
    """Write down what came of it; ``outcome`` None leaves what stands there."""
    values: dict[str, Any] = {"state": state, "touched_at": inventory.clock()}
    if outcome is not None:
        values["outcome"] = json.dumps(outcome, ensure_ascii=False)

    def work(session: Session) -> None:
        session.execute(update(ImportJob).where(col(ImportJob.id) == job_id).values(**values))
        if not keep_file:
            session.execute(delete(ImportChunk).where(col(ImportChunk.job_id) == job_id))

    inventory.sessions.write(work)


def _purge(session: Session, now: datetime) -> None:
    def older(age: timedelta) -> Any:
        return select(col(ImportJob.id)).where(col(ImportJob.touched_at) < now - age)

    session.execute(delete(ImportChunk).where(col(ImportChunk.job_id).in_(older(KEEP_FILE))))
    unfinished = col(ImportJob.state).not_in((State.DONE, State.UNDONE))
    session.execute(delete(ImportJob).where(col(ImportJob.touched_at) < now - KEEP_JOB, unfinished))


def _job(row: ImportJob, now: datetime) -> Job:
    state = State(row.state)
    return Job(
        row.id,
        row.filename,
        row.sheet,
        row.size,
        row.actor,
        state,
        row.stage,
        row.done_rows,
        row.total_rows,
        json.loads(row.outcome) if row.outcome else {},
        row.created_at,
        interrupted=state in WORKED_ON and row.touched_at < now - DEAD_AFTER,
    )
