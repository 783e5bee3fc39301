"""What a worker does with an import: read and check a file, then import it."""

import tempfile
from typing import Any

from flask_babel import lazy_gettext

from inventory_core.errors import FileRefused, RowsRefused
from inventory_core.imports.reading import read_table
from inventory_core.imports.table import Table
from inventory_core.operations.importing import import_table, preview_import
from inventory_web.areas.imports.outcomes import counts_of, refusal_of, rows_refused
from inventory_web.areas.imports.texts import state_text
from inventory_web.auditing import Event, announce
from inventory_web.long_work.chunks import copy_file
from inventory_web.long_work.circumstances import author_of
from inventory_web.long_work.kinds import Assignment, Ending, WorkKind
from inventory_web.long_work.states import State
from inventory_web.roles import Role

CHECK, IMPORT = "check", "import"
KIND_SLOT = "import"


def check(assignment: Assignment) -> Ending:
    """Read the file and make the preview. Changes nothing."""
    try:
        table = _read(assignment)
    except FileRefused as error:
        return Ending(State.REFUSED, refusal_of(error), keep_file=False)
    preview = preview_import(assignment.inventory, table, progress=assignment.progress)
    return Ending(State.READY, counts_of(preview), keep_file=not preview.faults_total)


def carry_out(assignment: Assignment) -> Ending:
    """Import the file, all or nothing; the job's id is that of the operation, so that it happens once however often it is begun."""
    inventory, job = assignment.inventory, assignment.job
    try:
        table = _read(assignment)
    except FileRefused as error:
        return Ending(State.REFUSED, refusal_of(error), keep_file=False)
    by = author_of(job)
    try:
        result = import_table(inventory, table, actor=by.name, operation=job.id, progress=assignment.progress)
    except RowsRefused as error:
        # Somebody changed the inventory since the preview.
        return Ending(State.READY, rows_refused(job.result, error), keep_file=False)

    def tell() -> None:
        announce(inventory, Event.IMPORTED, by=by, subject=job.title, import_id=job.id, rows=result.rows)

    outcome: dict[str, Any] = counts_of(result)
    return Ending(State.DONE, outcome, keep_file=False, after=tell)


def _read(assignment: Assignment) -> Table:
    job = assignment.job
    with tempfile.TemporaryFile() as file:
        if not copy_file(assignment.inventory, job.id, file) and job.size:
            raise FileRefused("gone")
        sheet = str(job.request.get("sheet", "")) or None
        return read_table(file, filename=job.title, sheet=sheet, progress=assignment.progress)


KIND = WorkKind(
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
