"""One job, from the moment it is taken to what is written down about it."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import structlog
from flask_babel import force_locale

from inventory_core.errors import DatabaseBusy, InventoryError
from inventory_core.inventory import Inventory
from inventory_web.catalogues import SOURCE_LANGUAGE
from inventory_web.error_pages import answer_for
from inventory_web.errors import WebError, code_of
from inventory_web.language import in_every_language
from inventory_web.logs import get_logger
from inventory_web.long_work import claims
from inventory_web.long_work.claims import LeaseLost
from inventory_web.long_work.kinds import Assignment, Ending, WorkKind
from inventory_web.long_work.leases import MOST_TAKES
from inventory_web.long_work.progress import Cancelled, Progress, Stopped
from inventory_web.long_work.states import Job, State
from inventory_web.refusals import refusal_text
from inventory_web.replicated_database import seeing, token_so_far
from inventory_web.tracing import REQUEST_ID

TEMPORARY = frozenset({503, 504})
"""The status of an error after which the same may succeed."""

BUSY_SECONDS = 600.0

T = TypeVar("T")
log = get_logger(__name__)


class Over(NamedTuple):
    """What a job leaves to whoever had it done: a token for ``must_see``, and what is to follow."""

    token: str
    after: Callable[[], None] | None


def carry_out(inventory: Inventory, kind: WorkKind, job: Job, worker: str, progress: Progress) -> Over:
    """Do what the job waits for, and write down its end. What cannot be written down is left for the next worker."""
    structlog.contextvars.bind_contextvars(job=job.id)
    named = REQUEST_ID.set(str(job.request.get("request_id", "")))
    try:
        # It works for a request that is over: in its language, and on replicas with what it had seen.
        with seeing(inventory.sessions, str(job.request.get("token", ""))), force_locale(_locale(job)):
            after = _carry_out(Assignment(inventory, job, worker, progress), kind)
            return Over(token_so_far(inventory.sessions), after)
    except LeaseLost:
        log.info("job_taken_over")
    except InventoryError as error:
        log.warning("job_left", code=error.code, error=str(error))
    finally:
        REQUEST_ID.reset(named)
        structlog.contextvars.unbind_contextvars("job")
    return Over("", None)


def failure(error: InventoryError | WebError) -> dict[str, Any]:
    """What a page has to say about a job that failed, in every language."""
    # What an error page would say, which names no files and no servers.
    texts = in_every_language(lambda: answer_for(error).message if _is_temporary(error) else refusal_text(error))
    return {"messages": texts, "code": code_of(error), "status": answer_for(error).status}


def _carry_out(assignment: Assignment, kind: WorkKind) -> Callable[[], None] | None:
    inventory, job, worker = assignment.inventory, assignment.job, assignment.worker

    def end(state: State, **what: Any) -> None:
        patiently(partial(claims.finish, inventory, job.id, worker, state, **what))

    try:
        with assignment.progress:
            ending = patiently(lambda: _step(assignment, kind))
    except Cancelled:
        log.info("job_cancelled")
        end(State.CANCELLED, outcome=None, keep_file=kind.has_input)
    except Stopped:
        claims.give_back(inventory, job.id, worker, at_once=True)
    except InventoryError as error:
        log.warning("job_refused", code=error.code, error=str(error))
        if _is_temporary(error) and job.takes + 1 < MOST_TAKES:
            claims.give_back(inventory, job.id, worker, at_once=False)
        else:
            end(State.FAILED, outcome=failure(error), keep_file=kind.has_input)
    except LeaseLost:
        raise
    except Exception:
        log.exception("job_crash")
        end(State.FAILED, outcome={"messages": {}, "code": "WEB-500"}, keep_file=kind.has_input)
    else:
        # Whoever learns that it is done must find it done, on whichever replica.
        outcome = {**ending.outcome, "token": token_so_far(inventory.sessions)}
        end(ending.state, outcome=outcome, keep_file=ending.keep_file, size=ending.size, also=ending.also)
        return ending.after
    return None


def patiently(act: Callable[[], T]) -> T:
    """Do it again while the database is busy: where there is one writer, an import may hold it for minutes."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return act()
        except DatabaseBusy:
            if time.monotonic() > until:
                raise


def _step(assignment: Assignment, kind: WorkKind) -> Ending:
    assignment.progress.check()
    return kind.steps[assignment.job.step](assignment)


def _is_temporary(error: InventoryError | WebError) -> bool:
    return answer_for(error).status in TEMPORARY


def _locale(job: Job) -> str:
    return str(job.request.get("language", "")) or SOURCE_LANGUAGE
