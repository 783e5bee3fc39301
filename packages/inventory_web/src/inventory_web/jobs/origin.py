"""The origin of a job: what it keeps of the request that submitted it. For views only."""

from flask import request
from flask_babel import get_locale

from inventory_web.audit.log import Author
from inventory_web.context import REQUEST_ID, current_actor, current_inventory
from inventory_web.db.replicated import current_token, require_token
from inventory_web.i18n.catalogues import SOURCE_LANGUAGE
from inventory_web.jobs.models import Job


def request_origin() -> dict[str, str]:
    """Return the actor, language, address and request id of this request, and the causal token of what it has seen."""
    return {
        "by": current_actor(),
        "language": str(get_locale() or SOURCE_LANGUAGE),
        "address": request.remote_addr or "",
        "request_id": REQUEST_ID.get(),
        "token": current_token(current_inventory().sessions),
    }


def require_result_of(job: Job) -> None:
    """Require that this request, and the next ones of the same browser, see the result of the job.

    After a day every server has it, and its token is no longer valid.
    """
    if job.kept:
        require_token(current_inventory().sessions, str(job.result.get("token", "")))


def job_author(job: Job) -> Author:
    """Return the author of the last request to the job."""
    stored = job.request
    return Author(str(stored.get("by", job.actor)), str(stored.get("address", "")), str(stored.get("request_id", "")))
