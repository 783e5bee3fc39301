"""The job of an export: writes the file, which is kept for a day."""

from collections.abc import Callable
from typing import BinaryIO, Literal, cast

from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from inventory_core import count_products, export_products
from inventory_web.audit.log import Event, log_event
from inventory_web.blueprints.catalog.list_query import ListQuery
from inventory_web.i18n.languages import current_language
from inventory_web.jobs.execution import JobContext, JobResult, JobType
from inventory_web.jobs.files import ChunkWriter
from inventory_web.jobs.labels import progress_state_text
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.origin import job_author
from inventory_web.roles import Role

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


def state_text(job: Job) -> str:
    """Return the state of an export in a few words."""
    texts = {
        JobState.WORKING: gettext("Preparando el archivo"),
        JobState.DONE: gettext("Lista para descargar") if job.kept else gettext("Caducada"),
        JobState.FAILED: gettext("No se pudo exportar"),
        JobState.CANCELLED: gettext("Cancelada"),
    }
    return progress_state_text(job) or texts.get(job.state, str(job.state))


KIND = JobType(
    name="export",
    label=lazy_gettext("Exportación"),
    endpoint="exports.show",
    icon="download",
    role=Role.VIEWER,
    steps={MAKE: make},
    state_text=state_text,
    private=True,
)
