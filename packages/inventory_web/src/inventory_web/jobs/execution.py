"""Job types, and the execution of one claimed job until its result is stored."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog
from flask_babel import force_locale
from sqlalchemy.orm import Session

from inventory_core import DatabaseBusy, Inventory, InventoryError
from inventory_web.context import REQUEST_ID, CurrentUser
from inventory_web.db.replicated import causal_context, current_token
from inventory_web.errors import WebError, code_of, is_temporary, status_of
from inventory_web.http.logs import get_logger
from inventory_web.i18n.catalogues import SOURCE_LANGUAGE
from inventory_web.i18n.error_messages import error_message, public_message
from inventory_web.i18n.languages import in_all_languages
from inventory_web.jobs import queue
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.progress import Cancelled, Progress, Stopped
from inventory_web.jobs.queue import MAX_TAKES, LeaseLost
from inventory_web.roles import Role


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
log = get_logger(__name__)


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
        if is_temporary(error) and job.takes + 1 < MAX_TAKES:
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
