"""The pages of an export in the background, which any instance can serve."""

import hashlib
from math import ceil
from uuid import uuid4

from flask import Blueprint, Response, abort, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory_core import Fault, InvalidInput, count_products
from inventory_web.blueprints.catalog.list_query import ListQuery
from inventory_web.blueprints.files.download import TYPES, file_name
from inventory_web.blueprints.files.export_job import KIND, LARGEST_COUNT, MAKE, state_text
from inventory_web.context import current_actor, current_inventory, current_operation, current_user, new_operation
from inventory_web.http.htmx import page_or_fragment, see_other
from inventory_web.jobs import queue
from inventory_web.jobs.files import CHUNK_BYTES, numbers_of, stream_file
from inventory_web.jobs.models import Job, JobState
from inventory_web.jobs.origin import request_origin, require_result_of
from inventory_web.jobs.runner import current_runner, register_job_type
from inventory_web.roles import Role, requires


def add_routes(blueprint: Blueprint) -> None:
    """Add ``GET /exports/new``, ``POST /exports``, ``GET /exports/<id>`` and ``GET /exports/<id>/file``."""
    blueprint.add_app_template_global(state_text, "export_state_text")
    blueprint.add_url_rule("/exports/new", "new", new)
    blueprint.add_url_rule("/exports", "prepare", prepare, methods=["POST"])
    blueprint.add_url_rule("/exports/<job_id>", "show", show)
    blueprint.add_url_rule("/exports/<job_id>/file", "fetch", fetch)
    register_job_type(blueprint, KIND)


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
            kind=KIND.name,
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
    if job is None or job.kind != KIND.name:
        abort(404)
    if account is None or not KIND.may_see(account, job):
        abort(403)
    # Read a replica that already has what another instance stored.
    require_result_of(job)
    return job
