"""Export the list: download small files, and make large ones in a job."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from math import ceil
from tempfile import TemporaryFile
from typing import BinaryIO, Literal, cast
from uuid import uuid4

from flask import Blueprint, Response, abort, render_template, request, send_file, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from inventory_core import Fault, InvalidInput, count_products, export_products
from inventory_web.audit.log import Event, current_author, current_filter, log_event
from inventory_web.blueprints.catalog.product_list import ListQuery
from inventory_web.context import current_actor, current_inventory, current_operation, current_user, new_operation
from inventory_web.http.responses import page_or_fragment, see_other
from inventory_web.i18n.languages import current_language
from inventory_web.jobs import queue
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.files import CHUNK_BYTES, ChunkWriter, numbers_of, stream_file
from inventory_web.jobs.models import Job, JobState, job_author, progress_state_text, request_origin, require_result_of
from inventory_web.jobs.runner import current_runner, register_job_type
from inventory_web.roles import Role, requires

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


def add_routes(blueprint: Blueprint) -> None:
    """Add the downloads of the list, and the pages of exports made by a job."""
    blueprint.add_url_rule("/inventory/export.xlsx", "workbook", workbook)
    blueprint.add_url_rule("/inventory/export.csv", "table", table)
    blueprint.add_app_template_global(export_state_text, "export_state_text")
    blueprint.add_app_template_global(export_address)
    blueprint.add_url_rule("/exports/new", "new", new)
    blueprint.add_url_rule("/exports", "prepare", prepare, methods=["POST"])
    blueprint.add_url_rule("/exports/<job_id>", "show", show)
    blueprint.add_url_rule("/exports/<job_id>/file", "fetch", fetch)
    register_job_type(blueprint, EXPORT_JOB)


@requires(Role.VIEWER)
def workbook() -> AnyResponse:
    """Return the list as a workbook."""
    return _download("xlsx")


@requires(Role.VIEWER)
def table() -> AnyResponse:
    """Return the list as CSV."""
    return _download("csv")


def file_name(kind: str) -> str:
    """Return the file name, with the date."""
    word = gettext("inventario")
    return f"{word}-{current_inventory().clock():%Y-%m-%d}.{kind}"


def _download(kind: Literal["xlsx", "csv"]) -> AnyResponse:
    query = ListQuery.read(request.args)
    with ExitStack() as until_sent:
        target = until_sent.enter_context(TemporaryFile())
        stock, name, author = current_inventory(), file_name(kind), current_author()
        rows = export_products(stock, query.products, target, kind, language=current_language(), sort=query.sort)
        target.seek(0)
        response = send_file(target, TYPES[kind], as_attachment=True, download_name=name)
        response.call_on_close(until_sent.pop_all().close)
        # Not on close: if the server sends the file itself, the response is not closed in time.
        log_event(stock, Event.EXPORTED, by=author, subject=name, rows=rows, format=kind, filter=current_filter())
        return response


MAKE = "make"
LARGEST_COUNT = 10**9
Format = Literal["xlsx", "csv"]


def make(context: JobContext) -> JobResult:
    """Write the file of a list in constant memory, and store it in chunks; a retry replaces stored chunks."""
    inventory, job, progress = context.inventory, context.job, context.progress
    query = ListQuery.read(job.request["query"])
    total = count_products(inventory, query.products, LARGEST_COUNT).number
    file = ChunkWriter(job.id, lambda change: _store(context, change))
    rows = export_products(
        inventory,
        query.products,
        cast("BinaryIO", file),
        cast("Format", job.request["format"]),
        language=current_language(),
        sort=query.sort,
        progress=lambda done: progress(done, max(done, total), "collecting"),
    )
    file.finish()

    def tell() -> None:
        kind = str(job.request["format"])
        log_event(inventory, Event.EXPORTED, by=job_author(job), subject=job.title, rows=rows, format=kind)

    return JobResult(JobState.DONE, {"rows": rows}, keep_file=True, size=file.size, after=tell)


def _store(context: JobContext, change: Callable[[Session], None]) -> None:
    context.progress(0, 0, "keeping")
    context.store(change)


def export_state_text(job: Job) -> str:
    """Return the state of an export in a few words."""
    texts = {
        JobState.WORKING: gettext("Preparando el archivo"),
        JobState.DONE: gettext("Lista para descargar") if job.kept else gettext("Caducada"),
        JobState.FAILED: gettext("No se pudo exportar"),
        JobState.CANCELLED: gettext("Cancelada"),
    }
    return progress_state_text(job) or texts.get(job.state, str(job.state))


EXPORT_JOB = JobType(
    name="export",
    label=lazy_gettext("Exportación"),
    endpoint="exports.show",
    icon="download",
    role=Role.VIEWER,
    steps={MAKE: make},
    state_text=export_state_text,
    private=True,
)


def export_address(kind: str, **arguments: str) -> str:
    """Return the address of an export of the list; for the templates of other blueprints.

    Args:
        kind: ``xlsx`` or ``csv`` for a file at once, ``job`` for the form of a background export.
        arguments: Those of ``ListQuery.args``.
    """
    endpoint = {"xlsx": "exports.workbook", "csv": "exports.table", "job": "exports.new"}[kind]
    return url_for(endpoint, **arguments)  # type: ignore[arg-type]


@requires(Role.VIEWER)
def new() -> str:
    """Show what would be exported, and in which format."""
    query = ListQuery.read(request.args)
    count = count_products(current_inventory(), query.products, LARGEST_COUNT).number
    return render_template("exports/new.html", query=query, count=count, operation=new_operation())


@requires(Role.VIEWER)
def prepare() -> AnyResponse:
    """Start an export of the list: 303 to its page. A double click starts it once."""
    kind = request.form.get("format", "xlsx")
    if kind not in TYPES:
        raise InvalidInput(Fault("format", "unknown", kind[:80]))
    stock, runner = current_inventory(), current_runner()
    arguments = {name: str(value) for name, value in ListQuery.read(request.values).args().items()}
    key = "\n".join(
        (current_operation(), current_actor(), kind, *sorted(f"{name}={text}" for name, text in arguments.items()))
    )
    job_id = hashlib.sha256(key.encode()).hexdigest()[:32]
    there = runner.find(stock, job_id)
    if there is None or not there.under_way:
        job = Job(
            # A page from the browser's cache starts a new export.
            id=job_id if there is None else uuid4().hex,
            kind=EXPORT_JOB.name,
            step=MAKE,
            title=file_name(kind),
            request={"query": arguments, "format": kind, **request_origin()},
            actor=current_actor(),
            state=JobState.WAITING,
            created_at=stock.clock(),
        )
        runner.submit(stock, job, lambda: queue.add_job(stock, job))
        job_id = job.id
    return see_other(url_for("exports.show", job_id=job_id))


@requires(Role.VIEWER)
def show(job_id: str) -> Response:
    """Show the progress, or the link to the file."""
    job = _mine(job_id)
    query = ListQuery.read(job.request["query"])
    return page_or_fragment("exports/job.html", "exports/job_card.html", job=job, query=query)


@requires(Role.VIEWER)
def fetch(job_id: str) -> AnyResponse:
    """Stream the file; redirect to the page of the export if it does not exist yet, or any more."""
    job, stock = _mine(job_id), current_inventory()
    numbers = numbers_of(stock, job.id) if job.state is JobState.DONE else []
    if not numbers or len(numbers) != ceil(job.size / CHUNK_BYTES):
        return see_other(url_for("exports.show", job_id=job_id))
    response = Response(stream_file(stock, job.id, numbers), mimetype=TYPES[job.request["format"]])
    response.content_length = job.size
    response.headers.set("Content-Disposition", "attachment", filename=job.title)
    return response


def _mine(job_id: str) -> Job:
    job, account = current_runner().find(current_inventory(), job_id), current_user()
    if job is None or job.kind != EXPORT_JOB.name:
        abort(404)
    if account is None or not EXPORT_JOB.may_see(account, job):
        abort(403)
    # Read a replica that already has what another instance stored.
    require_result_of(job)
    return job
