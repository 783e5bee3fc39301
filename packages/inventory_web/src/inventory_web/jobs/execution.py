"""Job types, the execution of one claimed job until its result is stored, and its progress."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import structlog
from flask_babel import force_locale
from sqlalchemy.orm import Session

from inventory_core import DatabaseBusy, Inventory, InventoryError
from inventory_web.context import REQUEST_ID, CurrentUser
from inventory_web.db.replicas import causal_context, current_token
from inventory_web.errors import WebError, code_of, is_temporary, status_of
from inventory_web.http.logs import get_logger
from inventory_web.i18n.catalogues import SOURCE_LANGUAGE
from inventory_web.i18n.error_messages import error_message, public_message
from inventory_web.i18n.languages import in_all_languages
from inventory_web.jobs import queue
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.queue import MAX_ATTEMPTS, LeaseLost, renew
from inventory_web.roles import Role

SETTLED_SECONDS = 3.0
"""No estimate before that many seconds: the first rows say little."""
SMOOTHING_SECONDS = 8.0
"""The time after which a change of the rate counts for two thirds."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Rows per second of one stage: an exponentially weighted mean over the reports. Times are seconds of one clock."""

    stage: str = ""
    began_at: float = 0.0
    at: float = 0.0
    done: int = 0
    rate: float | None = None

    def after(self, stage: str, done: int, at: float) -> Self:
        """Return the throughput after a report of ``done`` rows at ``at``; another stage, or fewer rows, starts again."""
        if stage != self.stage or done < self.done:
            return type(self)(stage, at, at, done)
        elapsed = at - self.at
        if elapsed <= 0:
            return self
        latest = (done - self.done) / elapsed
        weight = 1 - math.exp(-elapsed / SMOOTHING_SECONDS)
        rate = latest if self.rate is None else self.rate + weight * (latest - self.rate)
        return type(self)(stage, self.began_at, at, done, rate)

    def remaining(self, total: int) -> float | None:
        """Return the seconds until ``total`` rows are done; None if not known."""
        if not self.rate or total <= 0 or self.at - self.began_at < SETTLED_SECONDS:
            return None
        return max(0.0, (total - self.done) / self.rate)


SAVE_INTERVAL_SECONDS = 1.0
SAMPLE_INTERVAL_SECONDS = 0.5

log = get_logger(__name__)


class Cancelled(Exception):
    """A user cancelled the job; this error rolls back its open transaction."""


class Stopped(Exception):
    """The process ends; another one starts the job again."""


class Progress:
    """Receives reports of a step, and saves them from its own thread.

    A report raises ``Cancelled``, ``Stopped`` or ``LeaseLost`` if the step must end. On SQLite nothing can be written
    while the transaction of an import is open, so only this process then knows its progress and can cancel it.
    """

    def __init__(self, inventory: Inventory, job_id: str, worker: str) -> None:
        self._inventory = inventory
        self._job_id = job_id
        self._worker = worker
        self._ending: type[Exception] | None = None
        self._now = ("", 0, 0)
        self._throughput = Throughput("", time.monotonic(), time.monotonic())
        self._over = threading.Event()
        self._writer = threading.Thread(target=self._save_progress, name=f"notes-{job_id[:8]}", daemon=True)

    def __call__(self, done: int, total: int, stage: str) -> None:
        """Receive a report; fast, because the caller is inside a transaction."""
        self._now = (stage, done, total)
        at = time.monotonic()
        if stage != self._throughput.stage or at - self._throughput.at >= SAMPLE_INTERVAL_SECONDS:
            self._throughput = self._throughput.after(stage, done, at)
        self.check()

    def check(self) -> None:
        """Raise the reason to end, if there is one."""
        if self._ending is not None:
            raise self._ending

    @property
    def now(self) -> tuple[str, int, int, float | None]:
        """Return the stage, the rows done, the total rows and the remaining seconds."""
        stage, done, total = self._now
        # Time without a report lowers the rate.
        return stage, done, total, self._throughput.after(stage, done, time.monotonic()).remaining(total)

    @property
    def over(self) -> bool:
        """Return whether the step has ended and its result is about to be stored."""
        return self._over.is_set()

    @property
    def cancelling(self) -> bool:
        """Return whether the job is being cancelled."""
        return self._ending is Cancelled

    def request_stop(self, reason: type[Exception]) -> None:
        """Make the next report raise ``reason``; the first reason counts."""
        self._ending = self._ending or reason

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._writer.join()

    def _save_progress(self) -> None:
        while not self._over.wait(SAVE_INTERVAL_SECONDS):
            stage, done, total, remaining = self.now
            try:
                cancel = renew(
                    self._inventory,
                    self._job_id,
                    self._worker,
                    stage=stage,
                    done=done,
                    total=total,
                    remaining=remaining,
                )
                if cancel:
                    self.request_stop(Cancelled)
            except LeaseLost:
                self.request_stop(LeaseLost)
                return
            except InventoryError as error:
                log.info("job_progress", job=self._job_id, code=error.code)


@dataclass(frozen=True, slots=True)
class JobContext:
    """The context of a step. ``progress`` receives reports, and raises if the step must end."""

    inventory: Inventory
    job: Job
    worker: str
    progress: Progress

    def store(self, change: Callable[[Session], None]) -> None:
        """Write data of the job in one transaction. Raises ``LeaseLost``."""
        queue.store(self.inventory, self.job.id, self.worker, change)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a step: JSON values to store, whether the job's file is still needed, and the size of a generated file.

    ``also`` runs in the transaction that stores the end; ``after`` is called after it.
    """

    state: JobState
    outcome: Mapping[str, Any]
    keep_file: bool
    size: int | None = None
    also: Callable[[Session], None] | None = None
    after: Callable[[], None] | None = None


class JobStep(Protocol):
    """A step of a job. It may run again after a process died, and must then have the same effect once."""

    def __call__(self, context: JobContext, /) -> JobResult:
        """Run the step. An error of the core fails the job, or repeats it if it is temporary."""
        ...


@dataclass(frozen=True, slots=True)
class JobType:
    """A type of job.

    ``endpoint`` names the page of one job (argument ``job_id``). ``private``: only its owner and administrators see a job;
    otherwise every account with ``role``. ``lasting``: a completed job is never purged. ``has_input``: its file is an upload
    that is needed to repeat it; otherwise its file is its output. ``slot``: an instance runs only one job with the same slot at
    a time, because they need much memory.
    """

    name: str
    label: object
    endpoint: str
    icon: str
    role: Role
    steps: Mapping[str, JobStep]
    state_text: Callable[[Job], str]
    private: bool = False
    lasting: bool = False
    has_input: bool = False
    slot: str = ""

    def may_see(self, account: CurrentUser, job: Job) -> bool:
        """Return whether this account may see, cancel and repeat the job."""
        if not account.may(self.role):
            return False
        return not self.private or job.actor == account.name or account.may(Role.ADMIN)

    def only_of(self, account: CurrentUser) -> str | None:
        """Return the only actor whose jobs this account may see; None for all."""
        return account.name if self.private and not account.may(Role.ADMIN) else None


BUSY_TIMEOUT_SECONDS = 600.0

T = TypeVar("T")


class Completion(NamedTuple):
    """The completion of a job: a token for ``must_see``, and a function to call next."""

    token: str
    after: Callable[[], None] | None


def execute(inventory: Inventory, kind: JobType, job: Job, worker: str, progress: Progress) -> Completion:
    """Run the current step of the job and store its end. If the end cannot be stored, the next worker repeats the step."""
    structlog.contextvars.bind_contextvars(job=job.id)
    named = REQUEST_ID.set(str(job.request.get("request_id", "")))
    try:
        # The request is over: use its language, and read replicas that have what it had seen.
        with causal_context(inventory.sessions, str(job.request.get("token", ""))), force_locale(_locale(job)):
            after = _execute_step(JobContext(inventory, job, worker, progress), kind)
            return Completion(current_token(inventory.sessions), after)
    except LeaseLost:
        log.info("job_taken_over")
    except InventoryError as error:
        log.warning("job_left", code=error.code, error=str(error))
    finally:
        REQUEST_ID.reset(named)
        structlog.contextvars.unbind_contextvars("job")
    return Completion("", None)


def failure_outcome(error: InventoryError | WebError) -> dict[str, Any]:
    """Return the outcome of a failed job, with its message in every language."""
    # The message of a temporary error names files and servers.
    texts = in_all_languages(lambda: public_message(error) if is_temporary(error) else error_message(error))
    return {"messages": texts, "code": code_of(error), "status": status_of(error)}


def _execute_step(context: JobContext, kind: JobType) -> Callable[[], None] | None:
    inventory, job, worker = context.inventory, context.job, context.worker

    def end(state: JobState, **what: Any) -> None:
        retry_while_busy(partial(queue.finish, inventory, job.id, worker, state, **what))

    try:
        with context.progress:
            ending = retry_while_busy(lambda: _run_step(context, kind))
    except Cancelled:
        log.info("job_cancelled")
        end(JobState.CANCELLED, outcome=None, keep_file=kind.has_input)
    except Stopped:
        queue.release(inventory, job.id, worker, immediately=True)
    except InventoryError as error:
        log.warning("job_refused", code=error.code, error=str(error))
        if is_temporary(error) and job.attempts + 1 < MAX_ATTEMPTS:
            queue.release(inventory, job.id, worker, immediately=False)
        else:
            end(JobState.FAILED, outcome=failure_outcome(error), keep_file=kind.has_input)
    except LeaseLost:
        raise
    except Exception:
        log.exception("job_crash")
        end(JobState.FAILED, outcome={"messages": {}, "code": "WEB-500"}, keep_file=kind.has_input)
    else:
        # A client that learns that the job is done must also see its result, on any replica.
        outcome = {**ending.outcome, "token": current_token(inventory.sessions)}
        end(ending.state, outcome=outcome, keep_file=ending.keep_file, size=ending.size, also=ending.also)
        return ending.after
    return None


def retry_while_busy(act: Callable[[], T]) -> T:
    """Retry while the database is busy: with a single writer, an import may hold it for minutes."""
    until = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            return act()
        except DatabaseBusy:
            if time.monotonic() > until:
                raise


def _run_step(context: JobContext, kind: JobType) -> JobResult:
    context.progress.check()
    return kind.steps[context.job.step](context)


def _locale(job: Job) -> str:
    return str(job.request.get("language", "")) or SOURCE_LANGUAGE
