"""Files of jobs in the database, stored in chunks, so that memory does not grow with their size."""

import io
from collections.abc import Callable, Iterator
from typing import IO

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col
from typing_extensions import Buffer, override

from inventory_core import Inventory
from inventory_web.db.models import JobChunk
from inventory_web.db.replicas import reader_of_source

CHUNK_BYTES = 1 << 20


def add_chunks(session: Session, job_id: str, file: IO[bytes]) -> int:
    """Store a file from its beginning; return its size in bytes."""
    file.seek(0)
    size = 0
    for number, content in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
        session.execute(insert(JobChunk).values(job_id=job_id, number=number, content=content))
        size += len(content)
    return size


def copy_file(inventory: Inventory, job_id: str, target: IO[bytes]) -> bool:
    """Copy the stored file into ``target`` and rewind that; return False if the file is no longer stored."""
    found = False
    with reader_of_source(inventory.sessions) as session:
        for number in session.scalars(_numbers(job_id)).all():
            target.write(session.scalars(_content(job_id, number)).one())
            found = True
    target.seek(0)
    return found


def numbers_of(inventory: Inventory, job_id: str) -> list[int]:
    """Return the numbers of the stored chunks, in order."""
    with inventory.sessions.reader() as session:
        return list(session.scalars(_numbers(job_id)))


def stream_file(inventory: Inventory, job_id: str, numbers: list[int]) -> Iterator[bytes]:
    """Yield these chunks, each read in its own unit of work: a slow client does not hold a connection."""
    for number in numbers:
        with inventory.sessions.reader() as session:
            content = session.scalars(_content(job_id, number)).one()
        yield content


class ChunkWriter(io.RawIOBase):
    """A file that is stored while it is written. ``store`` runs a unit of work for each chunk.

    ``store`` raises if the writer has lost the job. ``finish`` stores the rest.
    """

    def __init__(self, job_id: str, store: Callable[[Callable[[Session], None]], None]) -> None:
        self.size = 0
        self._job_id = job_id
        self._store = store
        self._number = 0
        self._waiting = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, content: Buffer, /) -> int:
        self._waiting += content
        while len(self._waiting) >= CHUNK_BYTES:
            self._keep(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]
        return len(memoryview(content))

    def finish(self) -> None:
        """Store the rest, and delete what an earlier attempt may have left after it."""
        if self._waiting:
            self._keep(bytes(self._waiting))
            self._waiting.clear()
        rest = delete(JobChunk).where(col(JobChunk.job_id) == self._job_id, col(JobChunk.number) >= self._number)

        def work(session: Session) -> None:
            session.execute(rest)

        self._store(work)

    def _keep(self, content: bytes) -> None:
        number = self._number

        def work(session: Session) -> None:
            this = delete(JobChunk).where(col(JobChunk.job_id) == self._job_id, col(JobChunk.number) == number)
            session.execute(this)
            session.execute(insert(JobChunk).values(job_id=self._job_id, number=number, content=content))

        self._store(work)
        self._number += 1
        self.size += len(content)


def _numbers(job_id: str) -> Select[int]:
    return select(col(JobChunk.number)).where(col(JobChunk.job_id) == job_id).order_by(col(JobChunk.number))


def _content(job_id: str, number: int) -> Select[bytes]:
    return select(col(JobChunk.content)).where(col(JobChunk.job_id) == job_id, col(JobChunk.number) == number)
