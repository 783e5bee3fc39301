"""Undo of an import, as a job, because a large one takes longer than a request may."""

import hashlib

from flask import flash, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from inventory_core import CannotUndo, undo_import
from inventory_web.audit.log import Event, log_event
from inventory_web.blueprints.files.import_job import KIND_SLOT
from inventory_web.context import current_actor, current_inventory, current_operation
from inventory_web.http.error_pages import Answer, respond
from inventory_web.http.htmx import see_other
from inventory_web.i18n.labels import movements_text, products_text
from inventory_web.jobs import queue
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.labels import failed_text, progress_state_text
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.origin import job_author, request_origin, require_result_of
from inventory_web.jobs.runner import current_runner
from inventory_web.roles import Role

UNDO = "undo"


def begin_undo(imported: Job) -> Response:
    """Queue the undo of an import and wait briefly for its end: 303 to the import, or to the undo if it takes longer.

    Raises ``CannotUndo`` if the import is already undone. A refusal that comes in time is the response.
    """
    if imported.state is JobState.UNDONE:
        raise CannotUndo("already_undone")
    if imported.state is not JobState.DONE:
        return see_other(url_for("imports.show", job_id=imported.id))
    stock, runner = current_inventory(), current_runner()
    named = f"{UNDO}\n{imported.id}\n{current_operation()}\n{current_actor()}"
    job = Job(
        # The same for the same form: a double click undoes once.
        id=hashlib.sha256(named.encode()).hexdigest()[:32],
        kind=KIND.name,
        step=UNDO,
        title=imported.title,
        request={"import": imported.id, **request_origin()},
        actor=current_actor(),
        state=JobState.WAITING,
        created_at=stock.clock(),
    )
    runner.submit(stock, job, lambda: queue.add_job(stock, job))
    ended = runner.find(stock, job.id) or job
    if ended.state is JobState.FAILED and "status" in ended.result:
        return respond(Answer(int(ended.result["status"]), str(ended.result["code"]), failed_text(ended)))
    if ended.state is not JobState.DONE:
        return see_other(url_for("imports.show_undo", job_id=job.id))
    require_result_of(ended)
    flash(gettext("Importación deshecha: %(counts)s.", counts=counts_text(ended)), "success")
    return see_other(url_for("imports.show", job_id=imported.id))


def undo(context: JobContext) -> JobResult:
    """Undo a whole import; the job's id is the operation id, so it happens once even if it is repeated."""
    inventory, job = context.inventory, context.job
    imported, by = str(job.request["import"]), job_author(job)
    undone = undo_import(
        inventory, import_operation=imported, actor=by.name, operation=job.id, progress=context.progress
    )

    def tell() -> None:
        log_event(inventory, Event.IMPORT_UNDONE, by=by, subject=job.title, import_id=imported)

    counts = {"import": imported, "products": undone.products, "movements": undone.movements}
    return JobResult(
        JobState.DONE, counts, keep_file=False, after=tell, also=lambda session: queue.mark_undone(session, imported)
    )


def counts_text(job: Job) -> str:
    """Return the description of an undo's result."""
    return gettext(
        "%(products)s y %(movements)s",
        products=products_text(job.result["products"]),
        movements=movements_text(job.result["movements"]),
    )


def state_text(job: Job) -> str:
    """Return the state of an undo in a few words."""
    texts = {
        JobState.WORKING: gettext("Deshaciendo la importación"),
        JobState.DONE: gettext("Importación deshecha"),
        JobState.FAILED: gettext("No se pudo deshacer la importación"),
        JobState.CANCELLED: gettext("Cancelado"),
    }
    return progress_state_text(job) or texts.get(job.state, "")


KIND = JobType(
    name="undo_import",
    label=lazy_gettext("Deshacer una importación"),
    endpoint="imports.show_undo",
    icon="arrow-counterclockwise",
    role=Role.OPERATOR,
    steps={UNDO: undo},
    state_text=state_text,
    slot=KIND_SLOT,
)
