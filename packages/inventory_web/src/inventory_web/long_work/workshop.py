"""The threads of this process that work on jobs, and what only this process knows of them."""

import atexit
import contextvars
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from flask import Blueprint, Flask, current_app
from flask.sansio.blueprints import BlueprintSetupState

from inventory_core.errors import InventoryError
from inventory_core.inventory import Inventory
from inventory_web import current
from inventory_web.errors import WorkGivenUp
from inventory_web.logs import get_logger
from inventory_web.long_work import jobs, texts
from inventory_web.long_work.carrying_out import carry_out, failure, patiently
from inventory_web.long_work.claims import is_work_there, take_next
from inventory_web.long_work.kinds import WorkKind
from inventory_web.long_work.progress import Cancelled, Progress, Stopped
from inventory_web.long_work.slots import Slot
from inventory_web.long_work.states import Job, State
from inventory_web.replicated_database import database_name, has_one_writer, must_see

EXTENSION = "long_work"
THREADS = 2
PATIENCE_SECONDS = 1.5
"""How long a request waits for a job: the page of a small file then shows the result at once."""
SECONDS_BETWEEN_LOOKS = 4.0
SECONDS_BETWEEN_CLEARINGS = 3600.0
STOP_SECONDS = 8.0

log = get_logger(__name__)


@dataclass(slots=True)
class _Ended:
    """Tells the request that handed a job in that it is over, and what stands for all that was written."""

    event: threading.Event = field(default_factory=threading.Event)
    token: str = ""


class Workshop:
    """The jobs that this process works on, a few at a time.

    A thread is started when a job is handed in and ends when none waits. ``start`` adds the one that looks for jobs which
    others have left behind, and is for a process that serves.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._kinds: dict[str, WorkKind] = {}
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._again = False
        self._stopping = threading.Event()
        self._started = False
        self._under_way: dict[str, Progress] = {}
        self._pending: dict[str, Job] = {}
        self._awaited: dict[str, _Ended] = {}

    @property
    def kinds(self) -> tuple[WorkKind, ...]:
        """Every kind that an area of this application has added."""
        return tuple(self._kinds.values())

    def kind(self, job: Job) -> WorkKind | None:
        """Return the kind of a job; None if it belongs to a plugin that is not installed any more."""
        return self._kinds.get(job.kind)

    def add(self, kind: WorkKind) -> None:
        """Take on jobs of this kind."""
        self._kinds[kind.name] = kind

    def start(self) -> None:
        """Look for jobs from now on, also for those of instances that are gone. Call it after a fork."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._look_around, name="long-work", daemon=True).start()
            atexit.register(_stop, weakref.ref(self))

    def stop(self) -> None:
        """Give back what this process works on, so that another one takes it at once."""
        self._stopping.set()
        for progress in tuple(self._under_way.values()):
            progress.end_with(Stopped)
        until = time.monotonic() + STOP_SECONDS
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        # What could not be written down yet can be now.
        while time.monotonic() < until and any(job.under_way for job in tuple(self._pending.values())):
            time.sleep(0.02)

    def submit(self, inventory: Inventory, job: Job, write: Callable[[], object], *, adding: int = 0) -> None:
        """Let ``write`` put the job into the queue, and wait a little for its end; it stores a file of ``adding`` bytes.

        Where one writer holds up all others, as on SQLite, the rest of the queue is in memory: the request does not wait for
        an import that is being stored. Raises what ``write`` raises in time, and ``JobQuotaReached``.
        """
        self._require_quota(inventory, job, adding)
        until = time.monotonic() + PATIENCE_SECONDS
        ended = self._awaited.setdefault(job.id, _Ended())
        try:
            if has_one_writer(inventory.sessions):
                self._write_when_free(job, write)
            else:
                write()
            self.wake()
            if ended.event.wait(max(0.0, until - time.monotonic())):
                must_see(inventory.sessions, ended.token)
        finally:
            self._awaited.pop(job.id, None)

    def wake(self) -> None:
        """Look for work now."""
        with self._lock:
            self._again = True
            if len(self._threads) < THREADS and not self._stopping.is_set():
                thread = threading.Thread(target=self._work, name="long-work", daemon=True)
                self._threads.add(thread)
                thread.start()

    def find(self, inventory: Inventory, job_id: str) -> Job | None:
        """The job as this process knows it best, or None."""
        job = self._pending.get(job_id) or jobs.find_job(inventory, job_id)
        return job and self.as_known(job)

    def as_known(self, job: Job) -> Job:
        """The job with what only this process knows of it so far."""
        job = self._pending.get(job.id, job)
        progress = self._under_way.get(job.id)
        # Between the end that is written down and the worker's farewell the database knows better.
        if progress is None or (progress.over and not job.under_way):
            return job
        stage, done, total, remaining = progress.now
        live = replace(job, state=State.WORKING, stage=stage, done=done, total=total, remaining=remaining)
        return replace(live, interrupted=False, cancelling=job.cancelling or progress.cancelling)

    def cancel(self, inventory: Inventory, job: Job) -> None:
        """Cancel the job: at once if this process works on it, else as soon as its worker hears of it."""
        with self._lock:
            # The thread that writes the job down looks at this once more before it lets go of the job.
            pending = self._pending.get(job.id)
            if pending is not None and pending.under_way:
                self._pending[job.id] = replace(pending, cancelling=True)
        progress = self._under_way.get(job.id)
        if progress is not None:
            progress.end_with(Cancelled)
        elif pending is None:
            jobs.ask_to_cancel(inventory, job.id)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and job.id in self._under_way:
            time.sleep(0.02)

    def _require_quota(self, inventory: Inventory, job: Job, adding: int) -> None:
        settings = current.the_settings()
        others = [each for each in tuple(self._pending.values()) if each.actor == job.actor and each.id != job.id]
        jobs.require_quota(
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
        thread.join(PATIENCE_SECONDS)
        if raised:
            with self._lock:
                self._pending.pop(job.id, None)
            raise raised[0]

    def _queue(self, job: Job, write: Callable[[], object]) -> None:
        try:
            patiently(write)
        except Exception as error:
            log.exception("job_not_queued", job=job.id)
            # It is in no database, so only this process can say so.
            outcome = failure(error) if isinstance(error, InventoryError) else {"messages": {}, "code": "WEB-500"}
            with self._lock:
                self._pending[job.id] = replace(job, state=State.FAILED, outcome=outcome)
            raise
        with self._lock:
            cancelling = self._pending[job.id].cancelling
            if not cancelling:
                del self._pending[job.id]
        if cancelling:
            patiently(lambda: jobs.ask_to_cancel(current.the_inventory(), job.id))
            with self._lock:
                del self._pending[job.id]
        self.wake()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._again or self._stopping.is_set():
                    self._threads.discard(threading.current_thread())
                    return
                self._again = False
            with self._app.app_context():
                try:
                    self._work_off(current.the_inventory())
                except InventoryError as error:
                    log.info("long_work", code=error.code, error=str(error))
                except Exception:
                    log.exception("long_work")

    def _work_off(self, inventory: Inventory) -> None:
        worked = False
        while not self._stopping.is_set():
            slots = self._acquire_slots(inventory)
            try:
                kinds = tuple(kind.name for kind in self.kinds if not kind.slot or kind.slot in slots)
                # A name of its own for each take, so that nothing that comes late from an earlier one counts.
                worker = uuid.uuid4().hex
                given_up = partial(failure, WorkGivenUp())
                job = take_next(inventory, worker, kinds, besides=tuple(self._under_way), given_up=given_up)
                if job is None:
                    break
                for name in slots.keys() - {self._kinds[job.kind].slot}:
                    slots.pop(name).release()
                worked = True
                self._work_on(inventory, job, worker)
            finally:
                for slot in slots.values():
                    slot.release()
        if worked:
            self._clear_away(inventory)

    def _acquire_slots(self, inventory: Inventory) -> dict[str, Slot]:
        """Take the slots of this instance that are free, before a job is taken that needs one."""
        # Another instance on this machine, or one of another database, has a memory of its own.
        instance = (current.the_settings().instance, database_name(inventory.sessions))
        slots = {name: Slot(*instance, name) for name in {kind.slot for kind in self.kinds if kind.slot}}
        return {name: slot for name, slot in slots.items() if slot.acquire()}

    def _work_on(self, inventory: Inventory, job: Job, worker: str) -> None:
        progress = Progress(inventory, job.id, worker)
        if job.cancelling:
            progress.end_with(Cancelled)
        self._under_way[job.id] = progress
        try:
            over = carry_out(inventory, self._kinds[job.kind], job, worker, progress)
        finally:
            # Whoever confirms at this very moment has the job taken by another thread already.
            if self._under_way.get(job.id) is progress:
                del self._under_way[job.id]
        ended = self._awaited.get(job.id)
        if ended is not None:
            ended.token = over.token
            ended.event.set()
        if over.after is not None:
            over.after()

    def _look_around(self) -> None:
        cleared = 0.0
        while not self._stopping.wait(SECONDS_BETWEEN_LOOKS if cleared else 0.1):
            with self._app.app_context():
                try:
                    if is_work_there(current.the_inventory(), tuple(self._kinds)):
                        self.wake()
                    if not cleared or time.monotonic() - cleared > SECONDS_BETWEEN_CLEARINGS:
                        self._clear_away(current.the_inventory())
                        cleared = time.monotonic()
                except InventoryError as error:
                    log.info("long_work", code=error.code, error=str(error))
                except Exception:
                    log.exception("long_work")

    def _clear_away(self, inventory: Inventory) -> None:
        jobs.clear_away(inventory, [kind.name for kind in self.kinds if kind.lasting])


def set_up(app: Flask) -> None:
    """Give an application its workshop, before its areas add their kinds."""
    app.extensions[EXTENSION] = Workshop(app)
    app.jinja_env.globals.update(
        failed_text=texts.failed_text,
        job_colour=texts.colour_of,
        remaining_text=texts.remaining_text,
        size_text=texts.size_text,
        stage_text=texts.stage_text,
    )


def take_on(blueprint: Blueprint, kind: WorkKind) -> None:
    """Let the application that registers this blueprint do jobs of this kind."""

    def add(state: BlueprintSetupState) -> None:
        state.app.extensions[EXTENSION].add(kind)

    blueprint.record_once(add)


def start(app: Flask) -> None:
    """Let an application that serves look for jobs, also for those that other instances left behind. Call it after a fork."""
    app.extensions[EXTENSION].start()


def the_workshop() -> Workshop:
    """The workshop of this application."""
    return cast("Workshop", current_app.extensions[EXTENSION])


def _stop(workshop: "weakref.ref[Workshop]") -> None:
    there = workshop()
    if there is not None:
        there.stop()
