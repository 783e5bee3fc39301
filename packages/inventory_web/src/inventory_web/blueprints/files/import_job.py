"""The jobs of an import: read and check a file, then import it."""

import tempfile
from typing import Any

from flask_babel import lazy_gettext

from inventory_core import FileRefused, RowsRefused, Table, import_table, preview_import, read_table
from inventory_web.audit.log import Event, log_event
from inventory_web.blueprints.files.import_labels import state_text
from inventory_web.blueprints.files.import_results import counts_of, refusal_of, rows_refused
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.files import copy_file
from inventory_web.jobs.models import JobState
from inventory_web.jobs.origin import job_author
from inventory_web.roles import Role

CHECK, IMPORT = "check", "import"
KIND_SLOT = "import"


def check(context: JobContext) -> JobResult:
    """Read the file and create the preview. Changes nothing."""
    try:
        table = _read(context)
    except FileRefused as error:
        return JobResult(JobState.REFUSED, refusal_of(error), keep_file=False)
    preview = preview_import(context.inventory, table, progress=context.progress)
    return JobResult(JobState.READY, counts_of(preview), keep_file=not preview.faults_total)


def carry_out(context: JobContext) -> JobResult:
    """Import the file, all or nothing; the job's id is the operation id, so it happens once even if it is repeated."""
    inventory, job = context.inventory, context.job
    try:
        table = _read(context)
    except FileRefused as error:
        return JobResult(JobState.REFUSED, refusal_of(error), keep_file=False)
    by = job_author(job)
    try:
        result = import_table(inventory, table, actor=by.name, operation=job.id, progress=context.progress)
    except RowsRefused as error:
        # Another user changed the inventory since the preview.
        return JobResult(JobState.READY, rows_refused(job.result, error), keep_file=False)

    def tell() -> None:
        log_event(inventory, Event.IMPORTED, by=by, subject=job.title, import_id=job.id, rows=result.rows)

    outcome: dict[str, Any] = counts_of(result)
    return JobResult(JobState.DONE, outcome, keep_file=False, after=tell)


def _read(context: JobContext) -> Table:
    job = context.job
    with tempfile.TemporaryFile() as file:
        if not copy_file(context.inventory, job.id, file) and job.size:
            raise FileRefused("gone")
        sheet = str(job.request.get("sheet", "")) or None
        return read_table(file, filename=job.title, sheet=sheet, progress=context.progress)


KIND = JobType(
    name="import",
    label=lazy_gettext("Importación"),
    endpoint="imports.show",
    icon="upload",
    role=Role.OPERATOR,
    steps={CHECK: check, IMPORT: carry_out},
    state_text=state_text,
    lasting=True,
    has_input=True,
    slot=KIND_SLOT,
)
