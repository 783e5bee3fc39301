"""The origin of a job: what it keeps of the request that submitted it. For views only."""

from flask import request
from flask_babel import get_locale

from inventory_web.auditing import Author
from inventory_web.catalogues import SOURCE_LANGUAGE
from inventory_web.current import the_actor, the_inventory
from inventory_web.jobs.models import Job
from inventory_web.replicated_database import must_see, token_so_far
from inventory_web.tracing import REQUEST_ID


def request_origin() -> dict[str, str]:
    """Return the actor, language, address and request id of this request, and the causal token of what it has seen."""
    return {
        "by": the_actor(),
        "language": str(get_locale() or SOURCE_LANGUAGE),
        "address": request.remote_addr or "",
        "request_id": REQUEST_ID.get(),
        "token": token_so_far(the_inventory().sessions),
    }


def require_result_of(job: Job) -> None:
    """Require that this request, and the next ones of the same browser, see the result of the job.

    After a day every server has it, and its token is no longer valid.
    """
    if job.kept:
        must_see(the_inventory().sessions, str(job.result.get("token", "")))


def job_author(job: Job) -> Author:
    """Return the author of the last request to the job."""
    told = job.request
    return Author(str(told.get("by", job.actor)), str(told.get("address", "")), str(told.get("request_id", "")))
