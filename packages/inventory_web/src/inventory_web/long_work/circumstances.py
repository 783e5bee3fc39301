"""What a job remembers of the request that asked for it. For views only."""

from flask import request
from flask_babel import get_locale

from inventory_web.auditing import Author
from inventory_web.catalogues import SOURCE_LANGUAGE
from inventory_web.current import the_actor, the_inventory
from inventory_web.long_work.states import Job
from inventory_web.replicated_database import must_see, token_so_far
from inventory_web.tracing import REQUEST_ID


def the_circumstances() -> dict[str, str]:
    """Who asks, in which language, from where, and what stands for all that the person has seen."""
    return {
        "by": the_actor(),
        "language": str(get_locale() or SOURCE_LANGUAGE),
        "address": request.remote_addr or "",
        "request_id": REQUEST_ID.get(),
        "token": token_so_far(the_inventory().sessions),
    }


def see_result_of(job: Job) -> None:
    """Let this request, and the next ones of the same browser, see what the job brought.

    After a day every server has it, and its token is not believed any more.
    """
    if job.kept:
        must_see(the_inventory().sessions, str(job.result.get("token", "")))


def author_of(job: Job) -> Author:
    """Who asked for what the job did last."""
    told = job.request
    return Author(str(told.get("by", job.actor)), str(told.get("address", "")), str(told.get("request_id", "")))
