"""The pages of imports: upload, preview, confirm, result and undo."""

import hashlib
import shutil
import tempfile
from dataclasses import replace
from functools import partial

from flask import Blueprint, abort, make_response, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from inventory_core import DatabaseBusy, Fault
from inventory_web.blueprints.files import import_jobs
from inventory_web.blueprints.files.import_jobs import (
    CHECK,
    IMPORT,
    IMPORT_JOB,
    begin_undo,
    counts_text,
    undo_state_text,
)
from inventory_web.blueprints.files.import_jobs import UNDO_JOB as UNDO_KIND
from inventory_web.context import current_actor, current_inventory, current_operation, new_operation
from inventory_web.http.responses import page_or_fragment, see_other
from inventory_web.i18n.error_messages import messages_by_field
from inventory_web.jobs import queue
from inventory_web.jobs.files import CHUNK_BYTES
from inventory_web.jobs.models import REPEATABLE_STATES, Job, JobState, request_origin, require_result_of
from inventory_web.jobs.runner import current_runner, register_job_type
from inventory_web.roles import Role, requires


def create_blueprint() -> Blueprint:
    """Return a new blueprint with every page."""
    made = Blueprint("imports", __name__, template_folder="templates")
    for text in (
        import_jobs.action_text,
        import_jobs.count_text,
        import_jobs.refused_text,
        import_jobs.row_fault_text,
        import_jobs.state_colour,
        import_address,
    ):
        made.add_app_template_global(text)
    made.add_app_template_global(import_jobs.import_state_text, "import_state_text")
    made.add_app_template_global(undo_state_text, "undo_state_text")
    made.add_app_template_global(counts_text, "undo_counts_text")
    made.add_url_rule("/imports/new", "new", new)
    made.add_url_rule("/imports/new", "upload", upload, methods=["POST"])
    made.add_url_rule("/imports/<job_id>", "show", show)
    made.add_url_rule("/imports/<job_id>/confirm", "confirm", confirm, methods=["POST"])
    made.add_url_rule("/imports/<job_id>/undo", "undo", undo, methods=["POST"])
    made.add_url_rule("/imports/undo/<job_id>", "show_undo", show_undo)
    register_job_type(made, IMPORT_JOB)
    register_job_type(made, UNDO_KIND)
    return made


def import_address() -> str:
    """Return the address of the form for a file; for the templates of other blueprints."""
    return url_for("imports.new")


@requires(Role.OPERATOR)
def new() -> Response:
    """Show the form for a file, and the latest imports."""
    return _form([], 200)


@requires(Role.OPERATOR)
def upload() -> Response:
    """Store the file and check it: 303 to its page, or 422 if there is none."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form([Fault("file", "required")], 422)
    stock, sheet = current_inventory(), request.form.get("sheet", "").strip()[:100]
    job = Job(
        id=_id_of(file, sheet),
        kind=IMPORT_JOB.name,
        step=CHECK,
        title=file.filename,
        request={"sheet": sheet, **request_origin()},
        actor=current_actor(),
        state=JobState.WAITING,
        created_at=stock.clock(),
    )
    # The request closes its own file, and the queue may need it for longer.
    content = tempfile.TemporaryFile()  # noqa: SIM115 - the queue closes it
    shutil.copyfileobj(file.stream, content)

    def keep() -> None:
        try:
            queue.add_job(stock, job, content)
        except DatabaseBusy:
            # The write is retried.
            raise
        except Exception:
            content.close()
            raise
        content.close()

    try:
        current_runner().submit(stock, job, keep, adding=content.tell())
    except Exception:
        content.close()
        raise
    return see_other(url_for("imports.show", job_id=job.id))


@requires(Role.OPERATOR)
def show(job_id: str) -> Response:
    """Show the preview, the progress or the result; the page polls while a worker is active."""
    job = _job(job_id)
    require_result_of(job)
    return page_or_fragment("imports/job.html", "imports/job_card.html", job=job, operation=new_operation())


@requires(Role.OPERATOR)
def confirm(job_id: str) -> Response:
    """Import the file, or repeat a failed import; a second click finds it active and only shows it."""
    stock, job, runner = current_inventory(), _job(job_id), current_runner()
    if job.under_way:
        runner.wake()
    elif job.state in REPEATABLE_STATES or (job.state is JobState.READY and not job.result.get("faults_total")):
        step = IMPORT if job.state is JobState.READY else job.step
        origin = request_origin()
        waiting = replace(job, state=JobState.WAITING, step=step, stage="", done=0, total=0)
        write = partial(queue.requeue, stock, job, step, from_states=(job.state,), request=origin)
        runner.submit(stock, waiting, write)
    return see_other(url_for("imports.show", job_id=job_id))


@requires(Role.OPERATOR)
def undo(job_id: str) -> Response:
    """Undo the whole import, as a job."""
    return begin_undo(_job(job_id))


@requires(Role.OPERATOR)
def show_undo(job_id: str) -> Response:
    """Show the progress of an undo, or why it failed; the page polls while a worker is active."""
    job = _job(job_id, UNDO_KIND.name)
    require_result_of(job)
    return page_or_fragment("imports/undo.html", "imports/undo_card.html", job=job)


def _job(job_id: str, kind: str = IMPORT_JOB.name) -> Job:
    job = current_runner().find(current_inventory(), job_id)
    if job is None or job.kind != kind:
        abort(404)
    return job


def _id_of(file: FileStorage, sheet: str) -> str:
    """Return an id for this file and form: a double click uploads once, but a cached form accepts any file."""
    digest = hashlib.sha256("\n".join((current_operation(), current_actor(), sheet, file.filename or "")).encode())
    for piece in iter(lambda: file.stream.read(CHUNK_BYTES), b""):
        digest.update(piece)
    file.stream.seek(0)
    return digest.hexdigest()[:32]


def _form(faults: list[Fault], status: int) -> Response:
    runner = current_runner()
    recent = queue.recent_jobs(current_inventory(), {IMPORT_JOB.name: None}, number=20)
    page = render_template(
        "imports/new.html",
        errors=messages_by_field(faults),
        recent=[runner.with_progress(job) for job in recent],
        operation=new_operation(),
    )
    return make_response(page, status)
