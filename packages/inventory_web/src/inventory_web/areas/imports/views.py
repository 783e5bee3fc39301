"""Upload, preview, progress, confirm, undo."""

from typing import cast

from flask import Blueprint, Flask, current_app, flash, make_response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from inventory_core.errors import Fault
from inventory_core.operations.undoing_import import undo_import
from inventory_web.areas.imports import jobs
from inventory_web.areas.imports.jobs import State
from inventory_web.areas.imports.texts import (
    action_text,
    count_text,
    failed_text,
    refused_text,
    row_fault_text,
    stage_text,
    state_colour,
    state_text,
)
from inventory_web.areas.imports.work import Workshop
from inventory_web.current import new_operation, the_actor, the_inventory, the_operation
from inventory_web.htmx import page_or_fragment, see_other
from inventory_web.messages import faults_by_field, movements_text, products_text
from inventory_web.replicated_database import must_see
from inventory_web.roles import Role, requires


class ImportPages:
    """The pages; ``workshop`` does the work behind them."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def blueprint(self) -> Blueprint:
        """A new blueprint with every page."""
        blueprint = Blueprint("imports", __name__, template_folder="templates")
        texts = (
            action_text,
            count_text,
            failed_text,
            refused_text,
            row_fault_text,
            stage_text,
            state_colour,
            state_text,
        )
        for text in texts:
            blueprint.add_app_template_global(text)
        blueprint.add_url_rule("/imports/new", "new", self.new)
        blueprint.add_url_rule("/imports/new", "upload", self.upload, methods=["POST"])
        blueprint.add_url_rule("/imports/<job_id>", "show", self.show)
        blueprint.add_url_rule("/imports/<job_id>/confirm", "confirm", self.confirm, methods=["POST"])
        blueprint.add_url_rule("/imports/<job_id>/undo", "undo", self.undo, methods=["POST"])
        return blueprint

    @requires(Role.OPERATOR)
    def new(self) -> Response:
        """The form for a file, and the latest imports."""
        return self._form([], 200)

    @requires(Role.OPERATOR)
    def upload(self) -> Response:
        """Keep the file and check it: 303 to its page, or 422 if there is none."""
        file = request.files.get("file")
        if file is None or not file.filename:
            return self._form([Fault("file", "required")], 422)
        stock = the_inventory()
        job_id = jobs.add_job(
            stock, file.stream, filename=file.filename, sheet=request.form.get("sheet", "").strip(), actor=the_actor()
        )
        self._workshop.check(_app(), stock, jobs.find_job(stock, job_id))
        return see_other(url_for("imports.show", job_id=job_id))

    @requires(Role.OPERATOR)
    def show(self, job_id: str) -> Response:
        """The preview, the progress or the result; htmx asks for it again while somebody works on it."""
        job = jobs.find_job(the_inventory(), job_id)
        must_see(the_inventory().sessions, job.outcome.get("token", ""))
        return page_or_fragment(
            "imports/job.html",
            "imports/job_card.html",
            job=job,
            progress=self._workshop.progress_of(job_id) or (job.stage, job.done_rows, job.total_rows),
            operation=new_operation(),
        )

    @requires(Role.OPERATOR)
    def confirm(self, job_id: str) -> Response:
        """Import the file; a second click finds the work begun and only shows it."""
        stock = the_inventory()
        job = jobs.find_job(stock, job_id)
        if job.state is State.READING and job.interrupted:
            if jobs.claim(stock, job_id, State.READING, from_states=()):
                self._workshop.check(_app(), stock, job)
        elif not job.outcome.get("faults_total") and jobs.claim(
            stock, job_id, State.IMPORTING, from_states=(State.READY, State.FAILED)
        ):
            self._workshop.carry_out(_app(), stock, job, actor=the_actor())
        return see_other(url_for("imports.show", job_id=job_id))

    @requires(Role.OPERATOR)
    def undo(self, job_id: str) -> Response:
        """Take the whole import back."""
        stock = the_inventory()
        job = jobs.find_job(stock, job_id)
        undone = undo_import(stock, import_operation=job.id, actor=the_actor(), operation=the_operation())
        jobs.finish(stock, job.id, State.UNDONE, None, keep_file=False)
        flash(
            gettext(
                "Importación deshecha: %(products)s y %(movements)s.",
                products=products_text(undone.products),
                movements=movements_text(undone.movements),
            ),
            "success",
        )
        return see_other(url_for("imports.show", job_id=job_id))

    def _form(self, faults: list[Fault], status: int) -> Response:
        page = render_template(
            "imports/new.html",
            errors=faults_by_field(faults),
            recent=jobs.recent_jobs(the_inventory()),
            operation=new_operation(),
        )
        return make_response(page, status)


def _app() -> Flask:
    return cast("Flask", current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way to the object behind the proxy
