"""The jobs that check, run and undo an import, and the texts of their results."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import flash, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from inventory_core import (
    CannotUndo,
    FileRefused,
    ImportPreview,
    ImportResult,
    RowFault,
    RowsRefused,
    Table,
    import_table,
    preview_import,
    read_table,
    undo_import,
)
from inventory_web.audit.log import Event, log_event
from inventory_web.context import current_actor, current_inventory, current_operation
from inventory_web.http.error_pages import Answer, respond
from inventory_web.http.responses import see_other
from inventory_web.i18n.error_messages import error_message, reason_message
from inventory_web.i18n.labels import format_number, movements_text, products_text
from inventory_web.jobs import queue
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.files import copy_file
from inventory_web.jobs.models import (
    Job,
    JobState,
    failed_text,
    job_author,
    job_colour,
    progress_state_text,
    request_origin,
    require_result_of,
)
from inventory_web.jobs.runner import current_runner
from inventory_web.roles import Role

COUNTS = ("created", "updated", "restored", "retired", "unchanged", "stock_changes")
MOST_FAULTS = 200
MOST_NAMES = 50


def counts_of(result: ImportPreview | ImportResult) -> dict[str, Any]:
    """Encode a preview or a result: counts, new names, faults and the first changes."""
    faults = result.faults if isinstance(result, ImportPreview) else ()
    samples = result.samples if isinstance(result, ImportPreview) else ()
    return {
        "kind": result.kind,
        "rows": result.rows,
        "counts": {name: getattr(result, name) for name in COUNTS},
        "new_categories": list(result.new_categories)[:MOST_NAMES],
        "new_locations": list(result.new_locations)[:MOST_NAMES],
        "unused_columns": list(result.unused_columns)[:MOST_NAMES],
        "faults": [asdict(fault) for fault in faults[:MOST_FAULTS]],
        "faults_total": result.faults_total if isinstance(result, ImportPreview) else 0,
        "samples": [asdict(sample) for sample in samples],
    }


def refusal_of(error: FileRefused) -> dict[str, Any]:
    """Encode why the file as a whole is refused."""
    return {"reason": error.reason, "detail": error.detail, "code": error.code}


def rows_refused(before: Mapping[str, Any], error: RowsRefused) -> dict[str, Any]:
    """Encode the preview again, with new faults."""
    faults = [asdict(fault) for fault in error.faults[:MOST_FAULTS] if isinstance(fault, RowFault)]
    return {**before, "faults": faults, "faults_total": error.total}


COUNT_LABELS = {
    "created": lazy_gettext("Productos nuevos"),
    "updated": lazy_gettext("Productos cambiados"),
    "restored": lazy_gettext("Productos restaurados"),
    "retired": lazy_gettext("Productos eliminados"),
    "unchanged": lazy_gettext("Sin cambios"),
    "stock_changes": lazy_gettext("Cambios de cantidad"),
}


def import_state_text(job: Job) -> str:
    """Return the state of an import in a few words."""
    faulty = bool(job.result.get("faults_total"))
    texts = {
        JobState.WORKING: gettext("Leyendo el archivo") if job.step == "check" else gettext("Importando"),
        JobState.READY: gettext("Con errores") if faulty else gettext("Lista para importar"),
        JobState.REFUSED: gettext("Archivo rechazado"),
        JobState.DONE: gettext("Importada"),
        JobState.FAILED: gettext("No se pudo importar"),
        JobState.CANCELLED: gettext("Cancelada"),
        JobState.UNDONE: gettext("Deshecha"),
    }
    return progress_state_text(job) or texts[job.state]


def state_colour(job: Job) -> str:
    """Return the colour name in the style sheet's classes."""
    return "orange" if job.state is JobState.READY and job.result.get("faults_total") else job_colour(job)


def count_text(name: str) -> str:
    """Return the label of a count in the preview or the result."""
    return str(COUNT_LABELS.get(name, name))


def refused_text(outcome: Mapping[str, Any]) -> str:
    """Return why the file as a whole is refused."""
    if outcome.get("reason") == "gone":
        return gettext("El archivo ya no se guarda. Súbalo de nuevo.")
    return error_message(FileRefused(str(outcome.get("reason", "")), str(outcome.get("detail", ""))))


def row_fault_text(fault: Mapping[str, Any]) -> str:
    """Return the fault of one value of the file."""
    limit = fault["limit"]
    texts = {
        "duplicate": gettext("Está repetido: ya aparece en la fila %(row)s.", row=format_number(limit or 0)),
        "differs": gettext("No coincide con la fila %(row)s del mismo producto.", row=format_number(limit or 0)),
        "unknown": gettext("No hay ningún producto con ese código."),
        "retired": gettext("El producto está eliminado; restáurelo antes."),
        "refused": fault["value"],
        "error_cell": gettext("La celda muestra un error de la hoja de cálculo."),
        "too_many_cells": gettext(
            "La fila tiene más celdas que columnas hay en la cabecera (%(columns)s).", columns=limit
        ),
    }
    return str(texts.get(fault["reason"]) or reason_message(fault["reason"], fault["value"], limit))


def action_text(action: str) -> str:
    """Return the label of a row's action."""
    texts = {
        "create": gettext("Nuevo"),
        "update": gettext("Cambia"),
        "restore": gettext("Se restaura"),
        "retire": gettext("Se elimina"),
        "stock": gettext("Cantidad"),
    }
    return texts.get(action, action)


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


IMPORT_JOB = JobType(
    name="import",
    label=lazy_gettext("Importación"),
    endpoint="imports.show",
    icon="upload",
    role=Role.OPERATOR,
    steps={CHECK: check, IMPORT: carry_out},
    state_text=import_state_text,
    lasting=True,
    has_input=True,
    slot=KIND_SLOT,
)

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
        kind=UNDO_JOB.name,
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


def undo_state_text(job: Job) -> str:
    """Return the state of an undo in a few words."""
    texts = {
        JobState.WORKING: gettext("Deshaciendo la importación"),
        JobState.DONE: gettext("Importación deshecha"),
        JobState.FAILED: gettext("No se pudo deshacer la importación"),
        JobState.CANCELLED: gettext("Cancelado"),
    }
    return progress_state_text(job) or texts.get(job.state, "")


UNDO_JOB = JobType(
    name="undo_import",
    label=lazy_gettext("Deshacer una importación"),
    endpoint="imports.show_undo",
    icon="arrow-counterclockwise",
    role=Role.OPERATOR,
    steps={UNDO: undo},
    state_text=undo_state_text,
    slot=KIND_SLOT,
)
