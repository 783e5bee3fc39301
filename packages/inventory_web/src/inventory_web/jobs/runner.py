"""The threads of this process that run jobs, and the state that only this process knows."""

import atexit
import contextlib
import contextvars
import hashlib
import os
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, current_app
from flask.sansio.blueprints import BlueprintSetupState

from inventory_core import Inventory, InventoryError
from inventory_web import context
from inventory_web.db.replicas import database_name, has_single_writer, require_token
from inventory_web.errors import JobAbandoned
from inventory_web.http.logs import get_logger
from inventory_web.jobs import models, queue
from inventory_web.jobs.execution import (
    Cancelled,
    JobType,
    Progress,
    Stopped,
    execute,
    failure_outcome,
    retry_while_busy,
)
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.queue import claim_next, has_due_job

try:
    import fcntl
except ImportError:  # Windows, where one process serves
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


SLOT_TIMEOUT_SECONDS = 0.05
"""Seconds to wait for the lock of a process that only checks for work."""


class Slot:
    """A lock on a file in the temporary folder, which the operating system releases if the process ends."""

    def __init__(self, *names: str) -> None:
        """Name the slot; processes of this user with the same names share it."""
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
        digest = hashlib.sha256("\0".join((user, *names)).encode()).hexdigest()[:32]
        self._path = Path(tempfile.gettempdir()) / f"inventory-{digest}.lock"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Acquire the slot; return False if it is taken. Without a writable temporary folder there is no limit."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError:
            return True
        until = time.monotonic() + SLOT_TIMEOUT_SECONDS
        while True:
            try:
                _lock(descriptor)
            except OSError:
                if time.monotonic() > until:
                    os.close(descriptor)
                    return False
                time.sleep(0.01)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Release the slot."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


EXTENSION = "jobs"
THREADS = 2
WAIT_TIMEOUT_SECONDS = 1.5
"""How long a request waits for its job, so that the page of a small file shows the result immediately."""
POLL_INTERVAL_SECONDS = 4.0
PURGE_INTERVAL_SECONDS = 3600.0
STOP_TIMEOUT_SECONDS = 8.0

log = get_logger(__name__)


@dataclass(slots=True)
class _Waiter:
    """Notifies the request that submitted a job that it is over, with the causal token of its writes."""

    event: threading.Event = field(default_factory=threading.Event)
    token: str = ""


class JobRunner:
    """Runs jobs in this process, a few at a time.

    Submitting a job starts a thread, which ends when no job waits. ``start`` also polls for jobs that other instances left behind;
    call it in a serving process.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._job_types: dict[str, JobType] = {}
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._work_available = False
        self._stopping = threading.Event()
        self._started = False
        self._active: dict[str, Progress] = {}
        self._pending: dict[str, Job] = {}
        self._awaited: dict[str, _Waiter] = {}

    @property
    def job_types(self) -> tuple[JobType, ...]:
        """Return the registered job types of this application."""
        return tuple(self._job_types.values())

    def job_type(self, job: Job) -> JobType | None:
        """Return the type of a job; None if its plugin is no longer installed."""
        return self._job_types.get(job.kind)

    def add(self, kind: JobType) -> None:
        """Register a job type."""
        self._job_types[kind.name] = kind

    def start(self) -> None:
        """Start to poll for jobs, also for those of instances that ended. Call it after a fork."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._poll, name="job-runner", daemon=True).start()
            atexit.register(_stop, weakref.ref(self))

    def stop(self) -> None:
        """Release the jobs of this process, so that another process claims them immediately."""
        self._stopping.set()
        for progress in tuple(self._active.values()):
            progress.request_stop(Stopped)
        until = time.monotonic() + STOP_TIMEOUT_SECONDS
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        # Write down now what could not be written before.
        while time.monotonic() < until and any(job.under_way for job in tuple(self._pending.values())):
            time.sleep(0.02)

    def submit(self, inventory: Inventory, job: Job, write: Callable[[], object], *, adding: int = 0) -> None:
        """Add a job to the queue with ``write`` and wait briefly for its end; it stores a file of ``adding`` bytes.

        If one writer blocks all others, as on SQLite, the job is queued in memory, so that the request does not wait for an import
        that is being stored. Raises the errors of ``write`` if they occur in time, and ``JobQuotaReached``.
        """
        self._require_quota(inventory, job, adding)
        until = time.monotonic() + WAIT_TIMEOUT_SECONDS
        ended = self._awaited.setdefault(job.id, _Waiter())
        try:
            if has_single_writer(inventory.sessions):
                self._write_when_free(job, write)
            else:
                write()
            self.wake()
            if ended.event.wait(max(0.0, until - time.monotonic())):
                require_token(inventory.sessions, ended.token)
        finally:
            self._awaited.pop(job.id, None)

    def wake(self) -> None:
        """Look for due jobs now."""
        with self._lock:
            self._work_available = True
            if len(self._threads) < THREADS and not self._stopping.is_set():
                thread = threading.Thread(target=self._run_thread, name="job-runner", daemon=True)
                self._threads.add(thread)
                thread.start()

    def find(self, inventory: Inventory, job_id: str) -> Job | None:
        """Return the job with its live progress, or None."""
        job = self._pending.get(job_id) or queue.find_job(inventory, job_id)
        return job and self.with_progress(job)

    def with_progress(self, job: Job) -> Job:
        """Return the job with the progress that only this process knows."""
        job = self._pending.get(job.id, job)
        progress = self._active.get(job.id)
        # Between storing the end and the end of the worker, the database is more accurate.
        if progress is None or (progress.over and not job.under_way):
            return job
        stage, done, total, remaining = progress.now
        live = replace(job, state=JobState.WORKING, stage=stage, done=done, total=total, remaining=remaining)
        return replace(live, interrupted=False, cancelling=job.cancelling or progress.cancelling)

    def cancel(self, inventory: Inventory, job: Job) -> None:
        """Cancel the job: immediately if this process works on it, otherwise as soon as its worker notices."""
        with self._lock:
            # The thread that writes the job checks this again before it drops the job.
            pending = self._pending.get(job.id)
            if pending is not None and pending.under_way:
                self._pending[job.id] = replace(pending, cancelling=True)
        progress = self._active.get(job.id)
        if progress is not None:
            progress.request_stop(Cancelled)
        elif pending is None:
            queue.request_cancel(inventory, job.id)
        until = time.monotonic() + WAIT_TIMEOUT_SECONDS
        while time.monotonic() < until and job.id in self._active:
            time.sleep(0.02)

    def _require_quota(self, inventory: Inventory, job: Job, adding: int) -> None:
        settings = context.current_settings()
        others = [each for each in tuple(self._pending.values()) if each.actor == job.actor and each.id != job.id]
        queue.require_quota(
            inventory,
            job,
            [each.id for each in others if each.under_way],
            max_jobs=settings.jobs_per_account,
            max_bytes=settings.stored_mb_per_account * 1_000_000,
            adding=adding,
        )

    def _write_when_free(self, job: Job, write: Callable[[], object]) -> None:
        with self._lock:
            there = self._pending.get(job.id)
            if there is not None and there.under_way:
                return
            self._pending[job.id] = job
        raised: list[Exception] = []

        def run() -> None:
            with self._app.app_context():
                try:
                    self._queue(job, write)
                except Exception as error:  # noqa: BLE001 - raised in the request, if that still waits
                    raised.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(run,), name=f"queue-{job.id[:8]}", daemon=True)
        thread.start()
        thread.join(WAIT_TIMEOUT_SECONDS)
        if raised:
            with self._lock:
                self._pending.pop(job.id, None)
            raise raised[0]

    def _queue(self, job: Job, write: Callable[[], object]) -> None:
        try:
            retry_while_busy(write)
        except Exception as error:
            log.exception("job_not_queued", job=job.id)
            # The job is not in the database yet, so only this process can report it.
            outcome = (
                failure_outcome(error) if isinstance(error, InventoryError) else {"messages": {}, "code": "WEB-500"}
            )
            with self._lock:
                self._pending[job.id] = replace(job, state=JobState.FAILED, outcome=outcome)
            raise
        with self._lock:
            cancelling = self._pending[job.id].cancelling
            if not cancelling:
                del self._pending[job.id]
        if cancelling:
            retry_while_busy(lambda: queue.request_cancel(context.current_inventory(), job.id))
            with self._lock:
                del self._pending[job.id]
        self.wake()

    def _run_thread(self) -> None:
        while True:
            with self._lock:
                if not self._work_available or self._stopping.is_set():
                    self._threads.discard(threading.current_thread())
                    return
                self._work_available = False
            with self._app.app_context():
                try:
                    self._run_due_jobs(context.current_inventory())
                except InventoryError as error:
                    log.info("job_runner", code=error.code, error=str(error))
                except Exception:
                    log.exception("job_runner")

    def _run_due_jobs(self, inventory: Inventory) -> None:
        worked = False
        while not self._stopping.is_set():
            slots = self._acquire_slots(inventory)
            try:
                kinds = tuple(kind.name for kind in self.job_types if not kind.slot or kind.slot in slots)
                # A unique name per claim, so that late writes of an earlier claim are ignored.
                worker = uuid.uuid4().hex
                abandoned_outcome = partial(failure_outcome, JobAbandoned())
                job = claim_next(
                    inventory, worker, kinds, excluding=tuple(self._active), abandoned_outcome=abandoned_outcome
                )
                if job is None:
                    break
                for name in slots.keys() - {self._job_types[job.kind].slot}:
                    slots.pop(name).release()
                worked = True
                self._run_job(inventory, job, worker)
            finally:
                for slot in slots.values():
                    slot.release()
        if worked:
            self._purge(inventory)

    def _acquire_slots(self, inventory: Inventory) -> dict[str, Slot]:
        """Acquire the free slots of this instance before claiming a job that needs one."""
        # Another instance on this machine, or one of another database, has its own memory.
        instance = (context.current_settings().instance, database_name(inventory.sessions))
        slots = {name: Slot(*instance, name) for name in {kind.slot for kind in self.job_types if kind.slot}}
        return {name: slot for name, slot in slots.items() if slot.acquire()}

    def _run_job(self, inventory: Inventory, job: Job, worker: str) -> None:
        progress = Progress(inventory, job.id, worker)
        if job.cancelling:
            progress.request_stop(Cancelled)
        self._active[job.id] = progress
        try:
            over = execute(inventory, self._job_types[job.kind], job, worker, progress)
        finally:
            # If the user confirms right now, another thread may already have claimed the job.
            if self._active.get(job.id) is progress:
                del self._active[job.id]
        ended = self._awaited.get(job.id)
        if ended is not None:
            ended.token = over.token
            ended.event.set()
        if over.after is not None:
            over.after()

    def _poll(self) -> None:
        cleared = 0.0
        while not self._stopping.wait(POLL_INTERVAL_SECONDS if cleared else 0.1):
            with self._app.app_context():
                try:
                    if has_due_job(context.current_inventory(), tuple(self._job_types)):
                        self.wake()
                    if not cleared or time.monotonic() - cleared > PURGE_INTERVAL_SECONDS:
                        self._purge(context.current_inventory())
                        cleared = time.monotonic()
                except InventoryError as error:
                    log.info("job_runner", code=error.code, error=str(error))
                except Exception:
                    log.exception("job_runner")

    def _purge(self, inventory: Inventory) -> None:
        queue.purge_expired(inventory, [kind.name for kind in self.job_types if kind.lasting])


def init_app(app: Flask) -> None:
    """Create the job runner of an application, before its blueprints register their job types."""
    app.extensions[EXTENSION] = JobRunner(app)
    app.jinja_env.globals.update(
        failed_text=models.failed_text,
        job_colour=models.job_colour,
        remaining_text=models.remaining_text,
        size_text=models.size_text,
        stage_text=models.stage_text,
    )


def register_job_type(blueprint: Blueprint, kind: JobType) -> None:
    """Register a job type in each application that registers the blueprint."""

    def add(state: BlueprintSetupState) -> None:
        state.app.extensions[EXTENSION].add(kind)

    blueprint.record_once(add)


def start(app: Flask) -> None:
    """Start to poll for jobs, also for those that other instances left behind. Call it after a fork."""
    app.extensions[EXTENSION].start()


def current_runner() -> JobRunner:
    """Return the job runner of this application."""
    return cast("JobRunner", current_app.extensions[EXTENSION])


def _stop(runner: "weakref.ref[JobRunner]") -> None:
    there = runner()
    if there is not None:
        there.stop()
