"""The work behind the pages: read and check a file, then import it, in a thread of this instance."""

import contextvars
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from flask import Flask
from flask_babel import force_locale, get_locale

from inventory_core.errors import FileRefused, InventoryError, RowsRefused
from inventory_core.imports.reading import read_table
from inventory_core.imports.table import Table
from inventory_core.inventory import Inventory
from inventory_core.operations.importing import import_table, preview_import
from inventory_web.areas.imports import jobs
from inventory_web.areas.imports.jobs import Job, State
from inventory_web.areas.imports.outcomes import counts_of, refusal_of, rows_refused
from inventory_web.areas.imports.progress import Progress
from inventory_web.catalogues import SOURCE_LANGUAGE
from inventory_web.delivery import deliver_waiting
from inventory_web.language import in_every_language
from inventory_web.refusals import refusal_text
from inventory_web.replicated_database import token_so_far

PATIENCE_SECONDS = 1.5
"""How long a request waits for the thread: the page of a small file then shows the result at once."""

Work = Callable[[Inventory, Job, Progress], None]

log = structlog.get_logger(__name__)


class Workshop:
    """The imports that this instance works on, each in a thread; one that the process takes down is taken up elsewhere."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}

    def progress_of(self, job_id: str) -> tuple[str, int, int] | None:
        """How far this instance is with it; None if it does not work on it."""
        progress = self._progress.get(job_id)
        return progress.now if progress else None

    def check(self, app: Flask, inventory: Inventory, job: Job) -> None:
        """Read the file and make the preview."""
        self._start(app, inventory, job, _check)

    def carry_out(self, app: Flask, inventory: Inventory, job: Job, *, actor: str) -> None:
        """Import the file, all or nothing."""
        self._start(app, inventory, job, partial(_carry_out, actor=actor))

    def _start(self, app: Flask, inventory: Inventory, job: Job, work: Work) -> None:
        def run() -> None:
            progress = Progress(inventory, job.id)
            self._progress[job.id] = progress
            try:
                with app.app_context(), force_locale(locale):
                    _guarded(inventory, job, progress, work)
            finally:
                del self._progress[job.id]

        # Hooks may say something that is kept; it is for the person of this request.
        locale = get_locale() or SOURCE_LANGUAGE
        # The thread reads what this request wrote: on replicas the request's context says how much they must have.
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(run,), name=f"import-{job.id[:8]}", daemon=True)
        thread.start()
        thread.join(PATIENCE_SECONDS)


def _guarded(inventory: Inventory, job: Job, progress: Progress, work: Work) -> None:
    try:
        work(inventory, job, progress)
    except FileRefused as error:
        jobs.finish(inventory, job.id, State.REFUSED, refusal_of(error), keep_file=False)
    except InventoryError as error:
        texts = in_every_language(partial(refusal_text, error))
        _note_failure(inventory, job, {"messages": texts, "code": error.code})
    except Exception:
        log.exception("import_crash", job=job.id)
        _note_failure(inventory, job, {"messages": {}, "code": "WEB-500"})


def _note_failure(inventory: Inventory, job: Job, outcome: dict[str, Any]) -> None:
    try:
        jobs.finish(inventory, job.id, State.FAILED, outcome, keep_file=True)
    except InventoryError as error:
        # The job then shows as interrupted, since nobody touches it any more.
        log.warning("import_outcome", job=job.id, code=error.code, error=str(error))


def _check(inventory: Inventory, job: Job, progress: Progress) -> None:
    with progress:
        table = _read(inventory, job)
        preview = preview_import(inventory, table, progress=progress)
        outcome = counts_of(preview)
    jobs.finish(inventory, job.id, State.READY, outcome, keep_file=not preview.faults_total)


def _carry_out(inventory: Inventory, job: Job, progress: Progress, *, actor: str) -> None:
    outcome: dict[str, Any]
    with progress:
        table = _read(inventory, job)
        try:
            result = import_table(inventory, table, actor=actor, operation=job.id, progress=progress)
        except RowsRefused as error:
            # Somebody changed the inventory since the preview.
            outcome, state = rows_refused(job.outcome, error), State.READY
        else:
            # Whoever learns that it is done must find it done, on whichever replica.
            outcome, state = {**counts_of(result), "token": token_so_far(inventory.sessions)}, State.DONE
    jobs.finish(inventory, job.id, state, outcome, keep_file=False)
    if state is State.DONE:
        deliver_waiting(inventory)


def _read(inventory: Inventory, job: Job) -> Table:
    with tempfile.TemporaryFile() as file:
        if not jobs.write_file(inventory, job.id, file) and job.size:
            raise FileRefused("gone")
        return read_table(file, filename=job.filename, sheet=job.sheet or None)
